"""This machine's loopback: its address, free ports on it, and blocks of it for tasks."""

import contextlib
import errno
import functools
import itertools
import os
import socket
from collections.abc import Iterator
from typing import Final

LOOPBACK: Final = "127.0.0.1"

_PORTS: Final = range(10_000, 32_768)
"""Below those that systems give to outgoing connections, and to whoever listens on any port."""

_PORTS_OF_ONE: Final = 128
"""So far apart begin two processes, one started after the other."""

_BLOCKS: Final = range(77, 127)
_HOLDING_PORT: Final = 17077


class NoBlockLeft(RuntimeError):
    """Every block of loopback addresses is held; the message names the mend."""


def free_ports(count: int) -> tuple[int, ...]:
    """Ports that nobody listens on now, all different: they are held together while they are chosen.

    Programs listen on them some seconds later, and nobody may have taken them by then. So the system gives
    them to nobody by itself, one process is given each of them once, and others look elsewhere.

    Raises:
        OSError: there are not so many.
    """
    with contextlib.ExitStack() as held:
        return tuple(_hold_next(held.enter_context(socket.socket())) for _ in range(count))


def _hold_next(holder: socket.socket) -> int:
    for number in itertools.islice(_numbers(), len(_PORTS)):
        port = _PORTS[number % len(_PORTS)]
        try:
            holder.bind((LOOPBACK, port))
        except OSError as cause:
            if cause.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return port
    raise OSError(errno.EADDRINUSE, f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free")


@functools.cache
def _numbers() -> Iterator[int]:
    return itertools.count(os.getpid() * _PORTS_OF_ONE)


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
