"""Who a container runs as: from `user` of its definition to numbers, by the host's own databases.

https://docs.docker.com/engine/reference/run/#user
"""

import grp
import os
import pwd
from typing import NamedTuple

from app.local.fargate.running.enclosure.plan import Impossible


class User(NamedTuple):
    """Numbers, and the home directory."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = "/"


def user_from(text: str) -> User:
    """The numbers of `user` or `user:group`; root where it is empty.

    Raises:
        Impossible: there is no user or group of that name.
    """
    name, _, group = text.partition(":")
    known = _known(name or "0")
    if known is None and not name.isdecimal():
        raise Impossible(f"unable to find user {name}: no matching entries in passwd file")
    uid = known.pw_uid if known is not None else int(name)
    home = known.pw_dir if known is not None else "/"
    if group:
        return User(uid, _group(group), home=home)
    if known is None:
        return User(uid, 0)
    return User(uid, known.pw_gid, tuple(os.getgrouplist(known.pw_name, known.pw_gid)), home)


def _known(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except KeyError:
        return None


def _group(name: str) -> int:
    if name.isdecimal():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise Impossible(f"unable to find group {name}: no matching entries in group file") from None
