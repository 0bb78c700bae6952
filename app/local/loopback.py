"""This machine's loopback: its address, free ports on it, and blocks of it for tasks."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Final

LOOPBACK: Final = "127.0.0.1"

_BLOCKS: Final = range(77, 127)
_HOLDING_PORT: Final = 17077


class NoBlockLeft(RuntimeError):
    """Every block of loopback addresses is held; the message names the mend."""


def free_ports(count: int) -> tuple[int, ...]:
    """Ports that nobody listens on now, all different: they are held together while they are chosen."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return tuple(int(each.getsockname()[1]) for each in sockets)


@contextlib.contextmanager
def held_block() -> Iterator[str]:
    """The first /16 of loopback addresses, as a CIDR, that nobody else on this machine holds now.

    It is held by a socket on an address of it that no task gets, so that the end of the holder, whatever its
    kind, frees it. Where a machine has one loopback address only, there is one block, which all share.

    Raises:
        NoBlockLeft: all of them are held.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        yield f"127.{_hold_first(holder)}.0.0/16"


def _hold_first(holder: socket.socket) -> int:
    for number in _BLOCKS:
        try:
            holder.bind((f"127.{number}.0.1", _HOLDING_PORT))
        except OSError as cause:
            if cause.errno == errno.EADDRNOTAVAIL:
                break
            if cause.errno != errno.EADDRINUSE:
                raise
        else:
            return number
    else:
        raise NoBlockLeft(
            f"all {len(_BLOCKS)} blocks of task addresses are held: end another local stack, or whatever "
            f"listens on UDP port {_HOLDING_PORT} of all addresses"
        )
    return _BLOCKS[0]
