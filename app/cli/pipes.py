"""What becomes of output that nobody reads to its end, as by `| head`."""

import contextlib
import signal
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_pipe() -> Iterator[None]:
    """Whoever closes the other end of standard output ends this process quietly, as it ends `cat` or `grep`.

    Only while something is printed: a connection to the cluster that breaks is an error to tell of.
    """
    if not hasattr(signal, "SIGPIPE"):
        yield
        return
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        yield
        sys.stdout.flush()
    finally:
        signal.signal(signal.SIGPIPE, before)
