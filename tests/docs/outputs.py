"""Whether what a command printed is what the page shows, but for numbers, times and made-up names."""

import re

_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "@time"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "@id"),
    (re.compile(r"\b(vpc|subnet|sg)-[0-9a-f]{8,17}\b"), r"\1-@id"),
    (re.compile(r"-[a-z0-9]{6,10}-[a-z0-9]{5}\b"), "-@pod"),
    (re.compile(r"\bvm-\d+|\b[\w.-]+(?= leads)"), "@leader"),
    (re.compile(r"(?:\d+(?:\.\d+)?[dhms])+\b"), "@long"),
    (re.compile(r"\d+(?:[.,]\d+)*"), "#"),
    (re.compile(r"[ \t]+"), " "),
)
"""Leaving these out, equal text is equal meaning."""


def masked(line: str) -> str:
    """The line without what differs from run to run."""
    for pattern, word in _MASKS:
        line = pattern.sub(word, line)
    return line.strip()


def matches(shown: tuple[str, ...], printed: str) -> bool:
    """Whether the shown lines are the printed ones, in order.

    A line `…` stands for any number of lines, `…` at a line's end for its rest. Nothing shown says nothing.
    """
    lines = "".join(f"{masked(line)}\n" for line in printed.splitlines() if line.strip())
    return not shown or re.fullmatch("".join(map(_pattern, shown)), lines) is not None


def _pattern(line: str) -> str:
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    parts = masked(line).split("…")
    return ".*".join(map(re.escape, parts)) + r"\n"
