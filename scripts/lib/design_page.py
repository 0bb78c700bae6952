"""docs/design.md: the decisions, by their titles."""

from pathlib import Path
from typing import Final

_DECISIONS: Final = Path(__file__).resolve().parents[2] / "docs" / "decisions"

_HEAD: Final = """\
# Decisions

Written by `python -m scripts.lib.pages` from `docs/decisions/`; add a decision there instead.

What a reader would ask about, each on the headings Motivation, Decision, Alternatives.
"""


def design_page() -> str:
    """A line for each decision, in the order of their numbers."""
    lines = [f"- [{_title(path)}](decisions/{path.name})" for path in sorted(_DECISIONS.glob("*.md"))]
    return f"{_HEAD}\n" + "\n".join(lines) + "\n"


def _title(path: Path) -> str:
    return path.read_text().partition("\n")[0].removeprefix("# ")
