"""The explicit list of commands that no test runs, with what they need: not_run.yaml."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.docs.fences import ROOT

FILE = Path(__file__).with_name("not_run.yaml")


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that need the same.

    Attributes:
        needs: what is not at hand.
        page: the one on which they need it; empty for all.
        instead: the test that does the same by other means, from the source's root; empty where none does.
    """

    needs: str
    page: str
    instead: str
    commands: tuple[str, ...]


@cache
def _content() -> dict[str, Any]:
    return dict(yaml.safe_load(FILE.read_text()))


def groups() -> tuple[Group, ...]:
    """The list."""
    return tuple(
        Group(each["needs"], each.get("page", ""), each.get("instead", ""), tuple(each["commands"]))
        for each in _content()["commands"]
    )


def listed(page: str) -> frozenset[str]:
    """Every command of it, for one page."""
    return frozenset(command for group in groups() if group.page in {"", page} for command in group.commands)


def expected_code(command: str) -> int:
    """With what a command ends."""
    return int(_content()["codes"].get(command, 0))


def is_picture(first_line: str) -> bool:
    """Whether a snippet without a language is one of those that show something and are not to be run."""
    return any(words in first_line for words in _content()["pictures"])


def stand_ins() -> tuple[Path, ...]:
    """The tests that do what listed commands do."""
    return tuple(ROOT / group.instead for group in groups() if group.instead)
