"""The last steps of a new process before it becomes a container's command."""

import contextlib
import os
import signal
from collections.abc import Collection
from pathlib import Path
from typing import Final, NoReturn

from app.local.fargate.running.enclosure import kernel
from app.local.fargate.running.enclosure.plan import NOT_EXECUTABLE, NOT_FOUND

_CAPABILITIES: Final = range(64)
_IGNORED_BY_PYTHON: Final = (signal.SIGPIPE, signal.SIGXFSZ)


def environment() -> dict[bytes, bytes]:
    """As it was given: Python adds a locale of its own to `os.environ`."""
    given = Path("/proc/self/environ").read_bytes().split(b"\0")
    pairs = (each.partition(b"=") for each in given if b"=" in each)
    return {name: value for name, _, value in pairs}


def give_up_capabilities(kept: Collection[int]) -> None:
    """All but these, for good."""
    for number in _CAPABILITIES:
        if number not in kept and not kernel.give_up_capability(number):
            break
    kernel.clear_ambient_capabilities()


def follow(parent: int) -> None:
    """Have signals as a new process has them, and die with this parent; it may be dead already."""
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    kernel.die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def execute(argv: list[str], environment: dict[bytes, bytes], *, report: int) -> NoReturn:
    """Become the command, or say why not and exit."""
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606  (a container's command has no shell)
    except OSError as cause:
        missing = isinstance(cause, FileNotFoundError)
        code = NOT_FOUND if missing else NOT_EXECUTABLE
        fail(f'exec: "{argv[0]}": {cause.strerror}', report=report, code=code)


def fail(reason: str, *, report: int, code: int) -> NoReturn:
    """Say why there will be no command, and exit."""
    with contextlib.suppress(BrokenPipeError):  # nobody is left to be told
        os.write(report, reason.encode())
    os._exit(code)
