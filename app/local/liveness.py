"""Parts that run until they are stopped: what to say when one ends by itself."""

import asyncio
from typing import Any

from app.local.controlplane import ControlPlaneError


def require_running(task: asyncio.Task[Any]) -> None:
    """Nothing while the task runs.

    Raises:
        ControlPlaneError: it is over; the message has its name and its error, which is the cause.
    """
    if not task.done():
        return
    error = None if task.cancelled() else task.exception()
    why = repr(error) if error else "without an error"
    raise ControlPlaneError(f"{task.get_name()} ended by itself: {why}") from error
