"""Which controllers make pods that allow early burst, each by the last pod that was seen of it."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from app.model.early import owner_of
from app.model.names import EARLY, EARLY_ALLOWED
from app.model.namespace import Namespace
from app.model.pod import Pod
from app.model.policy import Overflow, PolicyError, overflow_of
from app.ports.watched import Watched

MOST_KINDS: Final = 100
"""Who makes controllers without end must not fill our memory."""


class EarlyKinds:
    """Follows all pods. Those that allow it stay whole on real nodes, so that a new leader learns of them.

    Where there are too many, the namespace that has most gives up the one that was seen longest ago: who
    makes up controllers pushes out nobody else's.

    Args:
        pods: all pods.
    """

    def __init__(self, pods: Watched[Pod]) -> None:
        self._latest: dict[str, OrderedDict[str, Pod]] = {}
        for pod in pods.all():
            self._pod_changed(None, pod)
        pods.on_change(self._pod_changed)

    def all(self, namespaces: Mapping[str, Namespace]) -> tuple[Pod, ...]:
        """One pod of each controller whose namespace opted in; it may be gone by now.

        The others are forgotten: a pod that was made before its namespace opted in lacks the toleration.
        """
        for name, kinds in list(self._latest.items()):
            labels = namespaces[name].metadata.labels if name in namespaces else {}
            for owner, pod in list(kinds.items()):
                if not _may_overflow(pod, labels):
                    del kinds[owner]
            if not kinds:
                del self._latest[name]
        return tuple(pod for kinds in self._latest.values() for pod in kinds.values())

    def _pod_changed(self, _: Pod | None, after: Pod | None) -> None:
        if after is None or after.metadata.annotations.get(EARLY) != EARLY_ALLOWED:
            return
        owner = owner_of(after)
        if not owner:
            return
        kinds = self._latest.setdefault(after.metadata.namespace, OrderedDict())
        known = kinds.get(owner)
        if known is None or known.uid != after.uid:
            kinds[owner] = after
            kinds.move_to_end(owner)
        if sum(map(len, self._latest.values())) > MOST_KINDS:
            max(self._latest.values(), key=len).popitem(last=False)


def _may_overflow(pod: Pod, namespace: Mapping[str, str]) -> bool:
    try:
        return overflow_of(namespace=namespace, pod=pod.metadata.labels) is not Overflow.NO
    except PolicyError:
        # What the label means nobody can say; the webhook refuses such a pod.
        return False
