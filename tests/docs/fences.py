"""The fenced snippets of the documentation, and the commands in them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GENERATED = {"settings.md", "pod-support.md"}
PAGES = sorted(
    [
        *(path for path in DOCS.glob("*.md") if path.name not in GENERATED),
        ROOT / "README.md",
        ROOT / "certs" / "README.md",
    ]
)
"""What people follow by hand; decisions explain, and generated pages have no snippets."""

CONSOLE = "console"
_OPEN = re.compile(r"^(?P<indent> *)```(?P<language>[\w-]*)(?: +title=\"(?P<title>[^\"]+)\")? *$")


@dataclass(frozen=True, slots=True)
class Command:
    """One command, and the lines that are shown below it."""

    text: str
    shown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fence:
    """One snippet.

    Attributes:
        page: the file, from the root of the source.
        line: where it begins.
        language: its info string; `console` also where there is none and a prompt begins it.
        title: the name that it is shown with.
    """

    page: str
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> tuple[Command, ...]:
        """What it has after prompts; a backslash at the end goes on in the next line."""
        return tuple(_commands(self.text.splitlines())) if self.language == CONSOLE else ()


def fences(path: Path) -> tuple[Fence, ...]:
    """The snippets of a page, in order."""
    return tuple(_fences(str(path.relative_to(ROOT)), path.read_text().splitlines()))


def all_fences() -> tuple[Fence, ...]:
    """Those of every page."""
    return tuple(each for path in PAGES for each in fences(path))


def _fences(page: str, lines: list[str]) -> Iterator[Fence]:
    numbered = iter(enumerate(lines, start=1))
    for number, line in numbered:
        opened = _OPEN.match(line)
        if opened is None:
            assert not line.lstrip().startswith("```"), f"{page}:{number}: {line}"
            continue
        inside = []
        for _, each in numbered:
            if each.strip() == "```":
                break
            inside.append(each.removeprefix(opened["indent"]))
        language = opened["language"] or (CONSOLE if inside[:1] and inside[0].startswith("$ ") else "")
        yield Fence(page, number, language, opened["title"] or "", "\n".join(inside) + "\n")


def _commands(lines: list[str]) -> Iterator[Command]:
    text, shown = "", list[str]()
    for line in lines:
        if text.endswith("\\"):
            text += f"\n{line}"
        elif line.startswith("$ "):
            if text:
                yield Command(text, tuple(shown))
            text, shown = line.removeprefix("$ "), []
        elif line.strip():
            shown.append(line)
    if text:
        yield Command(text, tuple(shown))


def normal(command: str) -> str:
    """A command as the list has it: on one line, without its comment."""
    joined = re.sub(r"\\\n\s*", "", command)
    return re.sub(r"\s{2,}#.*$", "", joined).strip()
