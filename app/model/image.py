"""A container image as its registry describes it.

https://github.com/opencontainers/image-spec/blob/main/config.md
"""

import msgspec


class ImageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What an image runs where the pod does not say, and as whom.

    `digest` is what the image's tag stands for now (the index, where the image has one), so that
    `REPOSITORY@DIGEST` names the same image for good. `command` holds the arguments of `entry_point`, or the
    whole command where that is empty. `stop_signal` is a name or a number (`app.model.signals`), empty for
    SIGTERM. `user` is `""`, `USER` or `USER:GROUP`, names or numbers; an empty
    `working_directory` means `/`. `architecture` and `os` are in Go's words.
    """

    digest: str
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    working_directory: str = ""
    environment: dict[str, str] = {}
    stop_signal: str = ""
    architecture: str = "amd64"
    os: str = "linux"


class RegistryLogin(msgspec.Struct, frozen=True):
    """Who may pull from a registry (a host, perhaps with a path); its text form hides the password.

    `registry` is `HOST[:PORT][/PATH]`: the host may have wildcards within its labels (`*.example.com`), the
    path is the beginning of repositories (`app.model.registry_login.matching`).
    """

    registry: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"RegistryLogin({self.registry!r}, {self.username!r})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """What rich prints in place of the fields."""
        return [("registry", self.registry), ("username", self.username)]
