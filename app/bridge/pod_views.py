"""The newest we know of each pod: as watched, or as our own last write returned it."""

from app.bridge.decision.facts import PodKey
from app.model.pod import Pod
from app.ports.watched import Watched


class PodViews:
    """A watch lags behind our own writes; deciding on what it shows would undo or repeat them."""

    def __init__(self, watched: Watched[Pod]) -> None:
        self._watched = watched
        self._written: dict[PodKey, Pod] = {}

    def get(self, key: PodKey) -> Pod | None:
        """The pod, or None where it is gone or its name belongs to another by now."""
        seen = self._watched.get(key.path)
        if seen is None or seen.uid != key.uid:
            self._written.pop(key, None)
            return None
        written = self._written.get(key)
        if written is None:
            return seen
        if _version(seen) >= _version(written):
            del self._written[key]
            return seen
        return written

    def wrote(self, key: PodKey, pod: Pod) -> None:
        """Our write's answer."""
        self._written[key] = pod


def key_of(pod: Pod) -> PodKey:
    """The pod's key."""
    return PodKey(pod.metadata.namespace, pod.metadata.name, pod.uid)


def _version(pod: Pod) -> int:
    """Resource versions are whole numbers that grow (Kubernetes 1.35 promises it; etcd always did)."""
    text = pod.metadata.resource_version
    return int(text) if text.isdecimal() else 0
