"""Who a container runs as, as far as it is known before launch."""

from typing import Final

from app.bridge.translation.scene import Scene
from app.fargate.rights import forbids_root, user_of
from app.model.container import Container

_ROOT_NAMES: Final = frozenset({"", "0", "root"})


def is_root(container: Container, *, scene: Scene) -> bool | None:
    """Whether the container's process is root's; None where only its image could tell.

    https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
    """
    user = user_of(container, scene.pod)
    if user is not None:
        return user == 0
    if forbids_root(container, scene.pod):
        return False
    image = scene.material.images.get(container.image)
    return None if image is None else image.user.partition(":")[0] in _ROOT_NAMES
