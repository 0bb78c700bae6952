"""As whom a container runs, as far as the pod alone says: what the in-task helper may do there.

The helper edits /etc/hosts, /etc/resolv.conf and the container's own files only as root, and only where they
can be written.
"""

from typing import Final

from app.model.container import Container, SecurityContext
from app.model.pod import Pod, PodSecurityContext

ROOT: Final = 0


def user_of(container: Container, pod: Pod) -> int | None:
    """The user id that the pod asks for; None leaves it to the image."""
    own = (container.security_context or SecurityContext()).run_as_user
    return own if own is not None else (pod.spec.security_context or PodSecurityContext()).run_as_user


def forbids_root(container: Container, pod: Pod) -> bool:
    """Whether `runAsNonRoot` holds for the container."""
    own = (container.security_context or SecurityContext()).run_as_non_root
    if own is None:
        own = (pod.spec.security_context or PodSecurityContext()).run_as_non_root
    return own is True


def has_read_only_root(container: Container) -> bool:
    """Whether the container's own file system is read-only."""
    return (container.security_context or SecurityContext()).read_only_root_filesystem is True


def cannot_be_edited(container: Container, pod: Pod) -> bool:
    """Whether it is certain that nobody may write the container's own files at its start.

    Not certain where the image names the user: then the translation looks at the image.
    """
    user = user_of(container, pod)
    is_other = user != ROOT if user is not None else forbids_root(container, pod)
    return is_other or has_read_only_root(container)


def all_containers(pod: Pod) -> tuple[tuple[str, Container], ...]:
    """Every container of the pod with its path, init containers first."""
    return (
        *((f"spec.initContainers[{index}]", each) for index, each in enumerate(pod.spec.init_containers)),
        *((f"spec.containers[{index}]", each) for index, each in enumerate(pod.spec.containers)),
    )
