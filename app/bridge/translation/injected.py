"""What admission put into the pod for its identity: token volumes and the variables that point at them.

https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-token-volume,
https://docs.aws.amazon.com/eks/latest/userguide/pod-configuration.html and
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
"""

from collections.abc import Iterable
from typing import Final

from app.bridge.config import TaskSettings
from app.model.container import Container
from app.model.pod import Pod
from app.model.volume import Volume

_TOKEN_VOLUME_PREFIX: Final = "kube-api-access-"  # noqa: S105  (a volume's name, not a secret)
_TOKEN_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105  (a path, not a secret)

_OF_ROLES: Final = {
    "aws-iam-token": frozenset({"AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"}),
    "eks-pod-identity-token": frozenset(
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"}
    ),
}
"""Volumes of EKS's webhooks, and the variables that lead SDKs to them instead of to the task role."""


def role_volumes(pod: Pod) -> frozenset[str]:
    """Volumes that bring an AWS role, which becomes the task role: they are taken out."""
    return frozenset(each.name for each in pod.spec.volumes if each.name in _OF_ROLES and _holds_token(each))


def role_variables(container: Container, *, pod: Pod) -> frozenset[str]:
    """The variables of the container that are taken out with such volumes."""
    mounted = role_volumes(pod) & {mount.name for mount in container.volume_mounts}
    return frozenset(name for volume in mounted for name in _OF_ROLES[volume])


def token_volumes(pod: Pod) -> frozenset[str]:
    """The volumes that admission added for the service account's token.

    A volume of the same make that a container mounts elsewhere is the user's own.
    """
    elsewhere = {
        mount.name
        for each in containers_of(pod)
        for mount in each.volume_mounts
        if mount.mount_path != _TOKEN_PATH
    }
    added = {each.name for each in pod.spec.volumes if _is_token_volume(each)}
    return frozenset(added - elsewhere)


def left_out(pod: Pod, *, settings: TaskSettings) -> frozenset[str]:
    """The volumes that the task does not get: those of roles, and tokens where there is no helper."""
    return role_volumes(pod) if settings.helper_image else role_volumes(pod) | token_volumes(pod)


def brought(pod: Pod, *, settings: TaskSettings) -> Iterable[tuple[int, Volume]]:
    """The other volumes, with their places in the pod."""
    gone = left_out(pod, settings=settings)
    return ((index, each) for index, each in enumerate(pod.spec.volumes) if each.name not in gone)


def containers_of(pod: Pod) -> tuple[Container, ...]:
    """All containers, in the order in which they start."""
    return (*pod.spec.init_containers, *pod.spec.containers)


def _is_token_volume(volume: Volume) -> bool:
    return volume.name.startswith(_TOKEN_VOLUME_PREFIX) and _holds_token(volume)


def _holds_token(volume: Volume) -> bool:
    sources = volume.projected.sources if volume.projected is not None else ()
    return any(source.service_account_token is not None for source in sources)
