"""A root file system made of the host's directories under overlays, with a container's mounts in it."""

import contextlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from app.local.fargate.running.enclosure import devices, kernel
from app.local.fargate.running.enclosure.plan import Mount, Plan

_FROM_HOST: Final = ("/proc", "/sys")
_MEANINGFUL: Final = frozenset(":,\\")
"""What overlayfs reads as more than a character in its options."""


def enter(plan: Plan, *, real: bool) -> None:
    """Build the root that the plan wants and make it this process's; `real` where users are.

    Sources are opened before the change and mounted after it, so that links in a target lead nowhere but
    inside the new root.
    """
    root = _Root(plan.scratch, real=real)
    root.fill("/")
    opened = [_Opened(each, root) for each in sorted(plan.mounts, key=_depth)]
    old = os.open("/", os.O_PATH | os.O_CLOEXEC)
    os.chdir(root.path)
    kernel.pivot_here()
    os.chdir("/")
    for each in opened:
        each.make_place()
    directory = Path(plan.directory or "/")
    directory.mkdir(parents=True, exist_ok=True)
    if plan.readonly:
        _make_readonly(root.parts)
    for each in opened:
        each.attach()
    directory.mkdir(parents=True, exist_ok=True)
    os.fchdir(old)
    kernel.detach_here()
    os.chdir("/")


class _Root:
    """The new root while it is built, in a tmpfs that is mounted upon `scratch`."""

    def __init__(self, scratch: str, *, real: bool) -> None:
        self._points = _mount_points()
        self._scratch = scratch
        self._options = "" if real else ",userxattr"
        self._count = 0
        self.path = f"{scratch}/root"
        self.parts = ["/"]
        kernel.mount("tmpfs", scratch, kind="tmpfs", data="mode=755")
        Path(self.path).mkdir()
        kernel.mount(self.path, self.path, flags=kernel.MS_BIND)

    def fill(self, source: str) -> None:
        """Make `source` in the new root look like the host's."""
        for entry in os.scandir(source):
            target = Path(self.path + entry.path)
            if entry.is_symlink():
                target.symlink_to(Path(entry.path).readlink())
            elif entry.is_dir():
                self._add_directory(entry.path, target)
            elif entry.is_file():
                target.touch()
                kernel.mount(entry.path, str(target), flags=kernel.MS_BIND)
                self.parts.append(entry.path)

    def new(self, name: str) -> Path:
        """A path of the tmpfs outside of the root."""
        self._count += 1
        return Path(self._scratch, f"{name}{self._count}")

    def _add_directory(self, path: str, target: Path) -> None:
        target.mkdir()
        _copy_owner(path, target)
        if path == "/dev":
            devices.fill(target)
        elif path in _FROM_HOST:
            kernel.mount(path, str(target), flags=kernel.MS_BIND | kernel.MS_REC)
        elif self._holds_mounts(path) and os.access(path, os.R_OK | os.X_OK):
            self.fill(path)
        else:
            self._cover(path, target)
            self.parts.append(path)

    def _holds_mounts(self, path: str) -> bool:
        return any(each.startswith(f"{path}/") for each in self._points)

    def _cover(self, path: str, target: Path) -> None:
        """Mount an overlay over the host's directory, or that directory read-only where none can be had."""
        upper, work = self.new("upper"), self.new("work")
        upper.mkdir()
        work.mkdir()
        _copy_owner(path, upper)
        options = f"lowerdir={path},upperdir={upper},workdir={work}"
        try:
            _require_plain(path + self._scratch)
            kernel.mount("overlay", str(target), kind="overlay", data=options + self._options)
        except OSError:
            kernel.mount(path, str(target), flags=kernel.MS_BIND | kernel.MS_REC)
            kernel.make_readonly(str(target), below=True)


class _Opened:
    """A mount whose source is held open; none for a tmpfs."""

    def __init__(self, mount: Mount, root: _Root) -> None:
        self._mount = mount
        source = mount.source
        if mount.text is not None:
            file = root.new("file")
            file.write_text(mount.text)
            source = str(file)
        self._source = os.open(source, os.O_PATH | os.O_CLOEXEC) if source is not None else None

    def make_place(self) -> None:
        """Make what it is to be mounted at, where that is missing."""
        place = Path(self._mount.target)
        if place.exists():
            return
        if self._source is None or stat.S_ISDIR(os.fstat(self._source).st_mode):
            place.mkdir(parents=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()

    def attach(self) -> None:
        """Mount it; its place may lie in a mount that came before."""
        self.make_place()
        target, options = self._mount.target, self._mount.options
        if self._source is None:
            flags = sum({kernel.MOUNT_FLAGS[each] for each in options if each in kernel.MOUNT_FLAGS})
            data = ",".join(each for each in options if "=" in each)
            kernel.mount("tmpfs", target, kind="tmpfs", flags=flags, data=data)
            return
        kernel.mount(f"/proc/self/fd/{self._source}", target, flags=kernel.MS_BIND)
        if self._mount.readonly:
            kernel.make_readonly(target, below=False)


def _require_plain(text: str) -> None:
    if _MEANINGFUL & set(text):
        raise OSError(f"{text} would need escapes")


def _mount_points() -> frozenset[str]:
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    points = [line.split(b" ")[4].decode("unicode_escape").encode("latin-1") for line in lines]
    return frozenset(map(os.fsdecode, points))


def _copy_owner(source: str, target: Path) -> None:
    found = Path(source).stat()
    with contextlib.suppress(OSError):  # in a user namespace other owners have no number, and ours is as good
        os.chown(target, found.st_uid, found.st_gid)
    target.chmod(stat.S_IMODE(found.st_mode))


def _make_readonly(parts: Iterable[str]) -> None:
    for part in parts:
        kernel.make_readonly(part, below=False)


def _depth(mount: Mount) -> int:
    return len(Path(mount.target).parts)
