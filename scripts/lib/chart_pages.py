"""The chart's generated parts: settings in values.yaml, values.schema.json, and README.md."""

import json
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from app.model.setting import camel
from app.model.wire import Json
from app.settings.nodes import NodeEntry
from scripts.lib import chart_settings
from scripts.lib.chart_schema import whole_schema

ROOT: Final = Path(__file__).resolve().parents[2]
CHART: Final = ROOT / "charts" / "spillway"
README: Final = Path(__file__).with_name("chart_readme.md")
WIDTH: Final = 118

_SECTION: Final = re.compile(r"^(\w+):$")
_BEGIN: Final = "    # <settings>"
_END: Final = "    # </settings>"
_KEY: Final = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z][\w.]*):(?P<rest>.*)$")
_LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Documented:
    """A value with its comment: the path as `bridge.settings.zone`."""

    path: str
    comment: str
    default: Json


def values_page() -> str:
    """values.yaml, with what stands between the marks below each program's `settings` written anew."""
    lines: list[str] = []
    program, skipping = "", False
    for line in (CHART / "values.yaml").read_text().splitlines():
        section = _SECTION.match(line)
        program = section[1] if section else program
        if line == _END:
            skipping = False
        if not skipping:
            lines.append(line)
        if line == _BEGIN:
            skipping = True
            lines += _settings(program)
    return "\n".join(lines) + "\n"


def _settings(program: str) -> Iterator[str]:
    for each in chart_settings.values(program):
        yield from textwrap.wrap(
            f"-- {each.comment}",
            WIDTH,
            initial_indent="    # ",
            subsequent_indent="    # ",
            break_on_hyphens=False,  # the README joins the lines again
        )
        yield f"    {each.name}: {json.dumps(each.default)}"


def schema_page() -> str:
    """values.schema.json."""
    text = json.dumps(whole_schema(chart_settings.of_all(), nodes=_node_entry()), indent=2)
    return text + "\n"


def _node_entry() -> dict[str, Json]:
    fields = {camel(name): chart_settings.schema_of(NodeEntry, name) for name in NodeEntry.model_fields}
    return {"type": "object", "additionalProperties": False, "required": ["name"], "properties": fields}


def readme_page() -> str:
    """README.md of the chart: the prose of chart_readme.md, with a table of all values."""
    rows = ["| Value | Default | Meaning |", "|---|---|---|"]
    rows += [f"| `{each.path}` | {_shown(each.default)} | {_cell(each.comment)} |" for each in documented()]
    managed = ["| Program | Setting | Where it comes from |", "|---|---|---|"]
    managed += [
        f"| {program} | `--{name.replace('_', '-')}` | {reason} |"
        for program, settings in chart_settings.MANAGED.items()
        for name, reason in settings.items()
    ]
    tables = {"values": rows, "managed": managed, "combinations": [*_combinations()]}
    text = README.read_text()
    for name, table in tables.items():
        text = text.replace(f"{{{{{name}}}}}", "\n".join(table))
    return text


def _combinations() -> Iterator[str]:
    """The values files of ci/, each with its first line, which says what it is."""
    yield from ("| Values | What |", "|---|---|")
    for path in sorted((CHART / "ci").glob("*-values.yaml")):
        what = path.read_text().splitlines()[0].removeprefix("# ")
        yield f"| [{path.name}](ci/{path.name}) | {_cell(what)} |"


def documented(text: str | None = None) -> tuple[Documented, ...]:
    """Every value of values.yaml that has a comment, in its order."""
    text = values_page() if text is None else text
    tree = yaml.safe_load(text)
    found, path, comment = [], list[tuple[int, str]](), list[str]()
    for line in text.splitlines():
        if line.strip().startswith("# -- "):
            comment = [line.strip().removeprefix("# -- ")]
            continue
        if line.strip().startswith("# ") and comment:
            comment.append(line.strip().removeprefix("# "))
            continue
        key = _KEY.match(line)
        if key is not None:
            indent = len(key["indent"])
            path = [*(each for each in path if each[0] < indent), (indent, key["key"])]
            names = [name for _, name in path]
            if comment:
                found.append(Documented(".".join(names), " ".join(comment), _at(tree, names)))
        comment = []
    return tuple(found)


def _at(tree: Any, names: list[str]) -> Json:
    for name in names:
        tree = tree[name]
    return tree


def _shown(default: Json) -> str:
    text = json.dumps(default, ensure_ascii=False)
    return f"`{text}`" if len(text) <= _LONGEST_SHOWN else "see values.yaml"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
