"""The system calls that Python has no words for. Each raises OSError that says what it was to do."""

import ctypes
import functools
import os
from typing import Any, Final

MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
MOUNT_FLAGS: Final = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8, "noatime": 1024, "nodiratime": 2048}
"""mount(8)'s options that are flags of mount(2)."""

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUSER: Final = 0x10000000

_MNT_DETACH: Final = 2
_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_MOUNT_ATTR_RDONLY: Final = 1
_SYS_MOUNT_SETATTR: Final = 442
"""The same on every architecture; the C library may be older than the call."""

_PR_SET_PDEATHSIG: Final = 1
_PR_CAPBSET_DROP: Final = 24
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4


@functools.cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _require(result: int, doing: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{doing}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """https://man7.org/linux/man-pages/man2/unshare.2.html."""
    _require(_libc().unshare(flags), "cannot enter a namespace of its own")


def enter_namespace(descriptor: int, kind: int) -> None:
    """https://man7.org/linux/man-pages/man2/setns.2.html."""
    _require(_libc().setns(descriptor, kind), "cannot enter the container's namespace")


def mount(source: str, target: str, *, kind: str = "", flags: int = 0, data: str = "") -> None:
    """https://man7.org/linux/man-pages/man2/mount.2.html."""
    words = (source, target, kind)
    call = (*(os.fsencode(each) or None for each in words), ctypes.c_ulong(flags), data.encode() or None)
    _require(_libc().mount(*call), f"cannot mount {kind or source} at {target}")


def make_readonly(target: str, *, below: bool) -> None:
    """A mount, and those `below` it, whatever other flags they have (Linux 5.12).

    https://man7.org/linux/man-pages/man2/mount_setattr.2.html
    """
    attributes = (ctypes.c_uint64 * 4)(_MOUNT_ATTR_RDONLY, 0, 0, 0)
    path = ctypes.c_char_p(os.fsencode(target))
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    flags = _AT_RECURSIVE if below else 0
    result = _libc().syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, path, flags, ctypes.byref(attributes), size)
    _require(result, f"cannot make {target} read-only")


def pivot_here() -> None:
    """Make the working directory, a mount, the root; the old root stays mounted over it."""
    _require(_libc().pivot_root(b".", b"."), "cannot change the root")


def detach_here() -> None:
    """Unmount what the working directory is in, and everything below."""
    _require(_libc().umount2(b".", _MNT_DETACH), "cannot leave the old root")


def die_with_parent(number: int) -> None:
    """Get a signal when the parent dies; forgotten whenever the user changes."""
    _require(_libc().prctl(_PR_SET_PDEATHSIG, number), "cannot follow the parent")


def give_up_capability(number: int) -> bool:
    """For good: no program that this process executes gets it. False where there is no such number."""
    return bool(_libc().prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) == 0)


def clear_ambient_capabilities() -> None:
    """What a program would get without being root."""
    _require(
        _libc().prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "cannot give up capabilities"
    )
