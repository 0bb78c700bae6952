"""What the commands of `spillway aws` have in common: how they end, and ask."""

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from typing import Any, Final

import typer
from rich.console import Console

from app.aws.account.names import NameFault
from app.cli.ending import INTERRUPTED, fail
from app.ports.failures import PortFailure
from app.telemetry import logs

DONE: Final = 0
NOT_DONE: Final = 1
NO_ACCOUNT: Final = 2
"""Exit codes: it is so; it is not, and the words say why; AWS cannot be asked."""


class Stopped(Exception):
    """The command ends here without having done all; the message names the mend.

    Attributes:
        told: what programs hear besides.
    """

    def __init__(self, message: str, *, told: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.told = told or {}


def console_of(*, aside: bool) -> Console:
    """Where words for people go: on standard error where standard output is for programs."""
    return Console(highlight=False, soft_wrap=True, stderr=aside)


def perform(work: Coroutine[Any, Any, int], *, as_json: bool) -> int:
    """Run a command; its exit code."""
    logs.configure(level="error", as_json=False)
    try:
        return asyncio.run(work)
    except Stopped as stopped:
        return fail(str(stopped), code=NOT_DONE, as_json=as_json, told=stopped.told)
    except (NameFault, PortFailure) as failure:
        return fail(str(failure), code=NO_ACCOUNT, as_json=as_json)
    except KeyboardInterrupt:
        message = "interrupted: what is done stays done; run it again, and it goes on from there"
        return fail(message, code=INTERRUPTED, as_json=as_json)


def confirm(question: str, *, aside: bool) -> None:
    """Ask a person.

    Raises:
        Stopped: the answer is no, or nobody is there to ask.
    """
    if not sys.stdin.isatty():
        raise Stopped(f"nothing was done: {question} --yes says so")
    if not typer.confirm(question, err=aside):
        raise Stopped("nothing was done")
