"""Starting and ending a program well: clear words where it cannot start, clean work where it is stopped."""

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from typing import Any, Final, TypeVar

import uvloop

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


E = TypeVar("E", bound=BaseException)


class StartError(RuntimeError):
    """The program cannot start as it is set up; the message names the mend."""


def run_until_stopped(work: Coroutine[Any, Any, None], *, serves: bool = False) -> bool:
    """Run until it ends, or until SIGINT or SIGTERM cancels it; cancelled work cleans up after itself.

    Args:
        work: what is run.
        serves: whether somebody waits for each of its answers, as kube-scheduler does: it gets the quicker
            event loop. Others keep asyncio's own.

    Returns:
        Whether a signal ended it.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if serves else None) as runner:
        return runner.run(_until_stopped(work))


def leaves(group: BaseExceptionGroup[E]) -> Iterator[E]:
    """The exceptions in the group, and in the groups in it."""
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from leaves(each)
        else:
            yield each


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
