"""A container image as its registry describes it.

https://github.com/opencontainers/image-spec/blob/main/config.md
"""

import msgspec


class ImageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What an image runs where the pod does not say, and as whom."""

    digest: str
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    working_directory: str = ""
    environment: dict[str, str] = {}
    architecture: str = "amd64"
    os: str = "linux"


class RegistryLogin(msgspec.Struct, frozen=True):
    """Who may pull from a registry (a host, perhaps with a path); its text form hides the password."""

    registry: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"RegistryLogin({self.registry!r}, {self.username!r})"
