"""How commands end that could not do all they were asked: words for people, and `error` for programs."""

import json
from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.text import Text

from app.cli.pipes import quiet_pipe

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C."""

STOPPED: Final = "interrupted: nothing was changed"


def fail(message: str, *, code: int, as_json: bool, told: Mapping[str, object] | None = None) -> int:
    """Say what is wrong on standard error, and with `--json` as the one object on standard output.

    Args:
        message: what is wrong, with the mend.
        code: the exit code, which is returned.
        as_json: whether a program listens.
        told: what it hears beside `error`.
    """
    complain(message)
    if as_json:
        tell(json.dumps({"error": message, **(told or {})}))
    return code


def complain(message: str) -> None:
    """Say what is wrong on standard error."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text(message, style="red"))


def tell(line: str) -> None:
    """A line for programs, at once."""
    with quiet_pipe():
        print(line, flush=True)
