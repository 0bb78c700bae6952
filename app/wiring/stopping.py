"""Starting and ending a program well: clear words where it cannot start, clean work where it is stopped."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class StartError(RuntimeError):
    """The program cannot start as it is set up; the message names the mend."""


def run_until_stopped(work: Coroutine[Any, Any, None]) -> bool:
    """Run until it ends, or until SIGINT or SIGTERM cancels it; cancelled work cleans up after itself.

    Returns:
        Whether a signal ended it.
    """
    return asyncio.run(_until_stopped(work))


async def _until_stopped(work: Coroutine[Any, Any, None]) -> bool:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
    return stopped
