"""What the bridge asks about images: how their process starts. All raise `app.ports.failures` only."""

from typing import Literal, Protocol

from app.model.image import ImageConfig, RegistryLogin

__all__ = ["Architecture", "ImageConfig", "Images", "Logins", "RegistryLogin"]

Architecture = Literal["amd64", "arm64"]
"""The architectures that Fargate has, in Go's words."""


class Images(Protocol):
    """Images, wherever they are kept."""

    async def config(
        self, image: str, *, architecture: Architecture, credentials: tuple[RegistryLogin, ...] = ()
    ) -> ImageConfig:
        """The configuration of a Linux image, as a container's `image` names it.

        `credentials` are the pod's pull secrets, all of them: the ones that match are tried in turn.

        Raises NotFound for no such image, tag or platform, Refused where no login is accepted or it is no
        container image, Throttled, Unavailable. Asking again is cheap: answers and failures are remembered.
        """
        ...


class Logins(Protocol):
    """Our own logins, for registries that know us by our role (Amazon ECR)."""

    async def login(self, host: str) -> RegistryLogin | None:
        """The login for `HOST[:PORT]`; None where the registry is none of ours.

        Raises Refused, Throttled, Unavailable.
        """
        ...
