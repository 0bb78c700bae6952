"""Namespaces: a view of the mounts that no other process has, and the user in it."""

import os
from pathlib import Path

from app.local.fargate.running.enclosure import kernel
from app.local.fargate.running.enclosure.plan import Impossible
from app.local.fargate.running.enclosure.user import User


def enter(user: User) -> bool:
    """Enter a mount namespace of its own; True where users are real in it.

    Raises:
        Impossible: this host permits none.
    """
    real = _enter_as_root()
    if not real:
        _enter_as_anybody(user)
    kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    return real


def _enter_as_root() -> bool:
    if os.geteuid() != 0:
        return False
    try:
        kernel.unshare(kernel.CLONE_NEWNS)
    except PermissionError:
        return False
    return True


def _enter_as_anybody(user: User) -> None:
    uid, gid = os.geteuid(), os.getegid()
    try:
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user.uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{user.gid} {gid} 1")
    except OSError as cause:
        raise Impossible(
            f"this host permits no namespaces ({cause.strerror}): run as root with CAP_SYS_ADMIN, or allow "
            "user namespaces (sysctl user.max_user_namespaces above 0, kernel.unprivileged_userns_clone=1, "
            "kernel.apparmor_restrict_unprivileged_userns=0)"
        ) from cause
