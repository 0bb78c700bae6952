"""What an image runs by itself. All of it raises `app.ports.failures` only."""

from typing import Literal, Protocol

from app.model.image import ImageConfig, RegistryLogin


class Images(Protocol):
    """Registries, as far as they describe images."""

    async def config(
        self,
        image: str,
        *,
        architecture: Literal["amd64", "arm64"],
        credentials: tuple[RegistryLogin, ...] = (),
    ) -> ImageConfig:
        """The image's configuration.

        Raises:
            NotFound: no such image, tag or platform.
            Refused: the login was refused, or it is no container image.
        """
        ...
