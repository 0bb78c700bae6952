"""What the commands of `spillway aws` have in common: how they end, complain and ask."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, Final

import typer
from rich.console import Console
from rich.text import Text

from app.ports.failures import PortFailure
from app.telemetry import logs

DONE: Final = 0
NOT_DONE: Final = 1
NO_ACCOUNT: Final = 2
"""Exit codes: it is so; it is not, and the words say why; AWS cannot be asked."""


class Stopped(Exception):
    """The command ends here without having done all; the message names the mend."""


def console_of(*, as_json: bool) -> Console:
    """Where words for people go: with --json standard output holds one object alone."""
    return Console(highlight=False, soft_wrap=True, stderr=as_json)


def perform(work: Coroutine[Any, Any, int]) -> int:
    """Run a command; its exit code."""
    logs.configure(level="error", as_json=False)
    try:
        return asyncio.run(work)
    except Stopped as stopped:
        complain(str(stopped))
        return NOT_DONE
    except PortFailure as failure:
        complain(str(failure))
        return NO_ACCOUNT


def complain(message: str) -> None:
    """Say what is wrong on standard error."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text(message, style="red"))


def confirm(question: str, *, as_json: bool) -> None:
    """Ask a person.

    Raises:
        Stopped: the answer is no, or nobody is there to ask.
    """
    if not sys.stdin.isatty():
        raise Stopped(f"nothing was done: {question} --yes says so")
    if not typer.confirm(question, err=as_json):
        raise Stopped("nothing was done")
