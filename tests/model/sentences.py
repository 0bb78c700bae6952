"""What app/ says to people, and the names of settings in it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from app import settings
from app.model import names
from app.model.setting import flag, value

_ROOT: Final = Path(settings.__file__).parents[2]
OTHER_FLAGS: Final = {
    "app/local": "it speaks for AWS and Kubernetes, of their flags",
    "app/aws/account": "of the flags of `spillway aws` and `aws`; the chart's values it writes itself",
    "app/drain": "of the flags of `spillway drain`",
    "app/wiring/drain.py": "likewise",
}
"""The rooms that mean others' flags, where a program has one of the same name."""
_ANNOTATIONS: Final = {
    each.partition("/")[2] for each in vars(names).values() if isinstance(each, str) and "/" in each
}


class Call(NamedTuple):
    """One `named(program, field, …)`, as far as it is written out."""

    program: str
    fields: tuple[str, ...]


class Mention(NamedTuple):
    """A setting that a sentence calls by its flag or variable, without the chart's value."""

    path: str
    name: str


def mentions() -> Iterator[Mention]:
    """Of all settings that are values of the chart."""
    called = re.compile(rf"(?<![\w/.-])(?:{'|'.join(map(re.escape, sorted(set(_names()))))})(?![\w/-])")
    for path, tree in _modules():
        if any(path.is_relative_to(room) for room in OTHER_FLAGS):
            continue
        for sentence in _sentences(tree):
            yield from (Mention(str(path), found) for found in called.findall(sentence))


def calls() -> Iterator[Call]:
    """Of all app/."""
    for _, tree in _modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"named", "setting.named"}:
                told = [str(each.value) for each in node.args if isinstance(each, ast.Constant)]
                yield from (Call(told[0], tuple(told[1:])),) if told else ()


def values_named() -> Iterator[str]:
    """The chart's values that sentences write out: `webhook.excludedNamespaces`."""
    dotted = re.compile(rf"(?<![\w/.-])(?:{'|'.join(settings.PROGRAMS)})(?:\.[a-z]\w*)+")
    for _, tree in _modules():
        for sentence in _sentences(tree):
            yield from dotted.findall(sentence)


def _names() -> Iterator[str]:
    """Flags, variables, and flags without their hyphens that are no plain word and no annotation's name."""
    for program, kind in settings.PROGRAMS.items():
        for field in kind.model_fields:
            if value(program, field):
                bare = flag(field)[2:]
                yield from (flag(field), settings.variable(field))
                yield from (bare,) if "-" in bare and bare not in _ANNOTATIONS else ()


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((_ROOT / "app").rglob("*.py")):
        yield path.relative_to(_ROOT), ast.parse(path.read_text())


def _sentences(tree: ast.Module) -> Iterator[str]:
    """Literals of several words that are neither docstrings nor descriptions of settings.

    A description stands beside flag and value in the pages, and names its neighbours for both.
    """
    apart = {id(each) for node in ast.walk(tree) for each in _apart(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in apart:
            yield from (node.value,) if " " in node.value else ()


def _apart(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr):
        yield node.value
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "Field":
        for each in node.keywords:
            yield from ast.walk(each.value)
