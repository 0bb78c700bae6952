"""Whom the scheduler may evict for a pod: nobody but placeholders where its priority class says so.

The rules are the gate's own, so that a pod is kept from preempting only where the gate would let it burst.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from app.extender.cluster.snapshot import is_placeholder
from app.extender.decision.hindrance import GateConfig, Refusals
from app.extender.decision.sparing import evicts_nobody
from app.model.meta import ObjectMeta
from app.model.names import PodUid
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.pod import Pod, PodSpec
from app.ports.watched import Watched

Victims = Mapping[str, Collection[PodUid]]
"""Whom the scheduler would evict, by node."""


class Preemption:
    """What every replica knows for it: the namespaces, and the uids of placeholder pods.

    Args:
        config: the priority classes and the gate.
        namespaces: all of them.
        pods: all pods of the cluster.
        refusals: why Fargate cannot run a pod.
    """

    def __init__(
        self,
        config: GateConfig,
        *,
        namespaces: Watched[Namespace],
        pods: Watched[Pod],
        refusals: Refusals,
    ) -> None:
        self._config = config
        self._namespaces = namespaces
        self._refusals = refusals
        self._placeholders: set[PodUid] = set()
        for pod in pods.all():
            self._pod_changed(None, pod)
        pods.on_change(self._pod_changed)

    @property
    def matters(self) -> bool:
        """Whether there is a priority class for which nobody is to be evicted."""
        return self._config.preferences.spares_somebody

    async def synced(self) -> None:
        """Return once it is known who opted in."""
        await self._namespaces.synced()

    def allowed(self, pod: Pod, victims: Victims, *, virtual: Iterable[Node]) -> frozenset[str]:
        """Those of the nodes on which the pod may have others evicted.

        Placeholders may always be pushed aside: they hold room for just such pods.
        """
        if not self._is_spared(pod, virtual):
            return frozenset(victims)
        return frozenset(name for name, uids in victims.items() if self._placeholders.issuperset(uids))

    def _is_spared(self, pod: Pod, virtual: Iterable[Node]) -> bool:
        name = pod.metadata.namespace
        namespace = self._namespaces.get(name)
        return evicts_nobody(
            pod,
            virtual=virtual,
            namespaces={} if namespace is None else {name: namespace},
            config=self._config,
            refusals=self._refusals,
        )

    def _pod_changed(self, before: Pod | None, after: Pod | None) -> None:
        if before is not None:
            self._placeholders.discard(before.uid)
        if after is not None and is_placeholder(after):
            self._placeholders.add(after.uid)


def reduced(pod: Pod) -> Pod:
    """The pod as far as it matters here: its names, version and priority. There may be 150,000."""
    meta = pod.metadata
    return Pod(
        metadata=ObjectMeta(
            name=meta.name, namespace=meta.namespace, uid=meta.uid, resource_version=meta.resource_version
        ),
        spec=_of_priority(pod.spec.priority),
    )


@lru_cache(maxsize=1024)
def _of_priority(priority: int | None) -> PodSpec:
    return PodSpec(priority=priority)
