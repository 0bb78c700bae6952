"""An image's configuration: from a registry's blob to the values that start a process.

https://github.com/opencontainers/image-spec/blob/main/config.md
"""

from typing import Final

import msgspec

from app.model.image import ImageConfig
from app.registry.manifests import ManifestError, NoPlatformError, go_architecture
from app.registry.wire import WireError, read

LONGEST: Final = 65_536
"""Bytes of entry point, command and environment; so much at most is remembered of an image."""


class _Run(msgspec.Struct, frozen=True):
    user: str | None = msgspec.field(name="User", default=None)
    environment: tuple[str, ...] | None = msgspec.field(name="Env", default=None)
    entry_point: tuple[str, ...] | None = msgspec.field(name="Entrypoint", default=None)
    command: tuple[str, ...] | None = msgspec.field(name="Cmd", default=None)
    working_directory: str | None = msgspec.field(name="WorkingDir", default=None)
    stop_signal: str | None = msgspec.field(name="StopSignal", default=None)


class _Image(msgspec.Struct, frozen=True):
    architecture: str = ""
    os: str = ""
    config: _Run | None = None


def decoded(body: bytes, *, digest: str, architecture: str) -> ImageConfig:
    """The configuration blob's content; what old tools left out (architecture, system) is taken for granted.

    Args:
        body: the blob.
        digest: what the image is pulled by.
        architecture: the one that was asked for.

    Raises:
        ManifestError: the blob is no image's configuration.
        NoPlatformError: the image is for another platform.
    """
    try:
        image = read(body, _Image)
    except WireError as error:
        raise ManifestError(
            f"it is no container image: its configuration does not decode ({error})"
        ) from error
    run = image.config or _Run()
    config = ImageConfig(
        digest=digest,
        entry_point=run.entry_point or (),
        command=run.command or (),
        user=run.user or "",
        working_directory=run.working_directory or "",
        environment=_variables(run.environment or ()),
        stop_signal=run.stop_signal or "",
        architecture=go_architecture(image.architecture) or architecture,
        os=image.os.lower() or "linux",
    )
    if (config.os, config.architecture) != ("linux", architecture):
        raise NoPlatformError(
            f"the image is for {config.os[:40]}/{config.architecture[:40]}, not for linux/{architecture}; "
            "select another kubernetes.io/arch, or push an image for this one"
        )
    if len(msgspec.json.encode(config)) > LONGEST:
        raise ManifestError(f"the image's command and environment exceed {LONGEST} bytes")
    return config


def _variables(lines: tuple[str, ...]) -> dict[str, str]:
    """The variables by name; of two with one name the last counts, and without `=` none is set."""
    return {name: value for name, equals, value in (line.partition("=") for line in lines) if equals}
