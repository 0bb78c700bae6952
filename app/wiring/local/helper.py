"""The in-task helper for a local stack: built from source, and known to the embedded Fargate as an image."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from app.local.fargate.config import FargateConfig, Image

IMAGE: Final = "spillway/helper:local"

_BUILD: Final = Path(__file__).resolve().parents[3] / "helper" / "build"
_IN_IMAGE: Final = "/spillway-helper"
_INSTALLED: Final = "/spillway/bin/helper"


class NoHelper(RuntimeError):
    """The helper cannot be built here; the message names the mend. Pods that need it are refused then."""


async def built(directory: Path) -> Path:
    """The helper's binary in the directory, built there.

    Raises:
        NoHelper: there is no source, or no compiler.
    """
    if not _BUILD.exists():
        raise NoHelper("its source comes with the repository, not with the installed package")
    out = directory / "spillway-helper"
    process = await asyncio.create_subprocess_exec(
        str(_BUILD), str(out), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise NoHelper(said.decode(errors="replace").strip() or "its build failed")
    return out


def knowing(config: FargateConfig, helper: Path) -> FargateConfig:
    """The configuration of a Fargate that has the helper's image, with what is known of it already."""
    image = msgspec.structs.replace(
        config.images.get(IMAGE, Image()),
        files={_IN_IMAGE: helper},
        wrappers=(_INSTALLED,),
        simulated={"install": '{"run_seconds": 0}'},
        followers=("keep",),
    )
    return msgspec.structs.replace(config, images={**config.images, IMAGE: image})
