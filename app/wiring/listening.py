"""Where a program cannot listen as it is set up: which setting it is, in words that name the mend."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from app.wiring.stopping import StartError


@contextmanager
def listening(setting: str, address: str) -> Iterator[None]:
    """Around the start of a server.

    Args:
        setting: as `--kubelet-port (bridge.settings.kubeletPort)`.
        address: what it says, as `0.0.0.0:10250`.

    Raises:
        StartError: the system refuses the address.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _MENDS:
            raise
        raise StartError(f"{setting} {address} cannot be listened on: {_MENDS[error.errno]}") from error


_MENDS = {
    errno.EADDRINUSE: "it is in use; end the other program, or set another port",
    errno.EACCES: "it is not allowed; set a port above 1023",
    errno.EADDRNOTAVAIL: "this machine does not have that address; set one that it has",
}
