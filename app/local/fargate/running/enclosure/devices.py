"""The devices of a container: a /dev of its own, with those that every container has.

https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#default-devices
"""

from pathlib import Path
from typing import Final

from app.local.fargate.running.enclosure import kernel

_DEVICES: Final = ("full", "null", "random", "tty", "urandom", "zero")
_LINKS: Final = {
    "fd": "/proc/self/fd",
    "ptmx": "pts/ptmx",
    "stderr": "/proc/self/fd/2",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
}
_HOST: Final = Path("/dev")


def fill(target: Path) -> None:
    """Make `target` the /dev of a container; it can be written to even where the root cannot."""
    kernel.mount("tmpfs", str(target), kind="tmpfs", data="mode=755")
    for name in _DEVICES:
        if (_HOST / name).exists():
            _bind(_HOST / name, target / name)
    for name, end in _LINKS.items():
        (target / name).symlink_to(end)
    (target / "shm").mkdir()
    kernel.mount("tmpfs", str(target / "shm"), kind="tmpfs", data="mode=1777")
    if (_HOST / "pts").is_dir():
        (target / "pts").mkdir()
        kernel.mount(str(_HOST / "pts"), str(target / "pts"), flags=kernel.MS_BIND | kernel.MS_REC)


def _bind(source: Path, target: Path) -> None:
    target.touch()
    kernel.mount(str(source), str(target), flags=kernel.MS_BIND)
