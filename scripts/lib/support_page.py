"""docs/pod-support.md: the ledger of pod fields, for people."""

from collections.abc import Iterable, Sequence
from typing import Final

from app.fargate.caveat_rules import CAVEATS
from app.fargate.ledger import TYPES
from app.fargate.support import Kind, Row
from app.fargate.words import WORDS
from app.model.setting import named

INTRODUCTION: Final = f"""\
Every field of a pod in Kubernetes' core/v1 (1.36), and what becomes of it when the pod runs as an ECS task on
Fargate. Nothing is dropped silently:

- **native**: ECS, the scheduler or admission does it as it stands.
- **emulated**: the bridge, or its helper inside the task, does what a kubelet would. Differences are named.
- **refused**: the pod is not run on Fargate, and whoever creates it is told why, in the table's words: as a
  warning at admission, by the extender before it bursts, as an Event on the pod, by `spillway explain`.

*Except* names the values of an honoured field that are refused, with the reason's code. A row that names no
other section speaks for everything below its field. What depends on the operator's settings, or on an object
that the pod names (a claim, a Secret, a role, an image), is refused when the pod is launched. What the
helper does is refused then where `{named("bridge", "helper_image")}` is empty (`HelperImage`).

The last column is the row's test in `tests/ledger/test_rows.py`; `pytest tests/ledger` runs them all. A field
of a newer Kubernetes that this page does not know is refused as `UnknownField`."""

TEST: Final = "test_row[{name}]"

TITLES: Final = {
    Kind.NATIVE: "native",
    Kind.EMULATED: "emulated",
    Kind.REFUSED: "**refused**",
}


def support_page() -> str:
    """The whole page."""
    order = _in_reading_order()
    parts = [
        "# Pod fields on Fargate",
        "Written by `python -m scripts.lib.pages` from `app/fargate/`; change the rows there instead.",
        INTRODUCTION,
        _summary(),
        "## What runs differently",
        "Said at admission and by `spillway explain`; the pod runs nevertheless.",
        _table(("Code", "When, and what then"), ((f"`{code}`", text) for code, text in CAVEATS.items())),
        "## Labels and annotations",
        _table(
            ("Where", "Key", "Values", "Meaning"),
            ((word.where, f"`{word.key}`", word.values, word.meaning) for word in WORDS),
        ),
    ]
    for kind in order:
        parts += [f"## {kind}", *_leading_to(kind), _section(kind)]
    return "\n\n".join(parts) + "\n"


def _in_reading_order() -> Sequence[str]:
    """The types from PodSpec down, each after the one that leads to it first."""
    order, waiting = [], ["PodSpec"]
    while waiting:
        kind = waiting.pop(0)
        if kind not in order:
            order.append(kind)
            waiting = [*waiting, *(row.of for row in TYPES[kind].values() if row.of)]
    return order


def _leading_to(kind: str) -> Iterable[str]:
    """One line that says which fields hold a value of the type."""
    rows = [row for each in TYPES.values() for row in each.values() if row.of == kind]
    return [f"In {', '.join(f'`{row.name}`' for row in rows)}."] if rows else []


def _summary() -> str:
    rows = [row for rows in TYPES.values() for row in rows.values()]
    counts = ", ".join(f"{sum(row.kind is kind for row in rows)} {kind.value}" for kind in Kind)
    return f"{len(rows)} fields of {len(TYPES)} types: {counts}."


def _section(kind: str) -> str:
    rows = sorted(TYPES[kind].values(), key=lambda row: row.field.lower())
    return _table(
        ("Field", "Support", "How, or why not", "Test"),
        ((f"`{row.field}`", TITLES[row.kind], _said(row), f"`{TEST.format(name=row.name)}`") for row in rows),
    )


def _said(row: Row) -> str:
    how = row.how
    if row.of:
        see = f"See {row.of}."
        link = f"See [{row.of}](#{row.of.lower()})."
        how = how.replace(see, link) if see in how else f"{how} {link}"
    if row.kind is Kind.REFUSED:
        how = how[0].upper() + how[1:] + f" (`{getattr(row.refuses, 'code', '')}`)"
    since = f" Since Kubernetes {row.since}." if row.since else ""
    unless = f" *Except* {row.unless}." if row.unless else ""
    return f"{how}{unless}{since}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
