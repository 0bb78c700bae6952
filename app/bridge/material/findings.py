"""What stands in the way of a pod, collected while its material is gathered, in kubelet's words. Pure.

https://kubernetes.io/docs/tasks/debug/debug-application/debug-pods/
"""

from collections.abc import Iterable
from typing import Final, Literal, TypeVar

from app.bridge.translation.material import Unready
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.volume import Volume

T = TypeVar("T")
Refusal = tuple[Reason, ...]
Kind = Literal["configmap", "secret"]

FAILED_MOUNT: Final = "FailedMount"
_TURNS: Final = {"ContainerCreating": 0, "InvalidImageName": 1, "ErrImagePull": 1}
_PREFIX: Final = "MountVolume.SetUp failed for volume"


class Findings:
    """Takes outcomes apart: values go on, hindrances are collected, all of them."""

    def __init__(self) -> None:
        self._unready: list[Unready] = []
        self._reasons: list[Reason] = []

    def take(self, outcome: T | Unready | Refusal) -> T | None:
        """The value, or None where the outcome is a hindrance. A value is never a tuple."""
        match outcome:
            case Unready():
                self._unready.append(outcome)
            case tuple():
                self._reasons.extend(outcome)
            case _:
                return outcome
        return None

    def outcome(self) -> Unready | Refusal | None:
        """What a kubelet would tell first; None where nothing stands in the way.

        What can never be comes before what may be later. Else a kubelet's order counts: it mounts volumes,
        then pulls images, then makes environments.
        """
        if self._reasons:
            return tuple(self._reasons)
        return min(self._unready, key=lambda each: _TURNS.get(each.reason, len(_TURNS)), default=None)


def hindered(pod: Pod, kind: Kind, name: str, why: str) -> Unready:
    """A ConfigMap or Secret cannot be had. It is a volume's failure where one cannot do without it."""
    volume = next((each.name for each in pod.spec.volumes if _demands(each, kind, name)), None)
    return unmounted(volume, why) if volume is not None else unconfigured(why)


def missing(pod: Pod, kind: Kind, name: str) -> Unready:
    """A ConfigMap or Secret is not there."""
    return hindered(pod, kind, name, f'{kind} "{name}" not found')


def unmounted(volume: str, why: str) -> Unready:
    """A volume cannot be set up."""
    return Unready("ContainerCreating", f'{_PREFIX} "{volume}" : {why}', FAILED_MOUNT)


def unconfigured(why: str) -> Unready:
    """A container's environment cannot be made."""
    return Unready("CreateContainerConfigError", why)


def unclaimed(pod: Pod, claim: str, why: str) -> Unready:
    """A PersistentVolumeClaim gives no volume (yet)."""
    key = f"{pod.metadata.namespace}/{claim}"
    return Unready("ContainerCreating", f"error processing PVC {key}: {why}", FAILED_MOUNT)


def untokened(pod: Pod, failure: Exception) -> Unready:
    """The service account's token cannot be had."""
    names = (each.name for each in pod.spec.volumes if _has_token(each))
    return unmounted(next(names, "kube-api-access"), f"failed to fetch token: {failure}")


def unpulled(image: str, why: object) -> Unready:
    """The image is not to be had with what the pod gives."""
    return Unready("ErrImagePull", f'Failed to pull image "{image}": {why}')


def unreadable(failure: Exception, *, verb: str, resource: str, namespace: str) -> str:
    """Why Kubernetes does not answer us, with the mend."""
    return f'{failure}; give the bridge\'s RBAC role {verb} on {resource} in namespace "{namespace}"'


def _demands(volume: Volume, kind: Kind, name: str) -> bool:
    return (kind, name) in _demanded(volume)


def _demanded(volume: Volume) -> Iterable[tuple[Kind, str]]:
    """What a volume cannot be set up without."""
    if volume.config_map is not None and not volume.config_map.optional:
        yield ("configmap", volume.config_map.name)
    if volume.secret is not None and not volume.secret.optional:
        yield ("secret", volume.secret.secret_name)
    for source in volume.projected.sources if volume.projected is not None else ():
        if source.config_map is not None and not source.config_map.optional:
            yield ("configmap", source.config_map.name)
        if source.secret is not None and not source.secret.optional:
            yield ("secret", source.secret.name)


def _has_token(volume: Volume) -> bool:
    sources = volume.projected.sources if volume.projected is not None else ()
    return any(source.service_account_token is not None for source in sources)
