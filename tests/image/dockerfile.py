"""A Dockerfile, read as far as ours goes: stages, instructions and their flags."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

_STAGE = re.compile(r"(?P<base>\S+)(?: AS (?P<name>\S+))?$")
_FLAG = re.compile(r"--(?P<name>[a-z]+)=(?P<value>\S+)\s+")


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continued lines joined; `value` is what follows its flags."""

    word: str
    flags: dict[str, str]
    value: str


@dataclass(frozen=True)
class Stage:
    """What stands from one FROM to the next; `name` is empty where it has none."""

    base: str
    name: str
    instructions: tuple[Instruction, ...]

    def all(self, word: str) -> list[Instruction]:
        """Its instructions of one word, in their order."""
        return [each for each in self.instructions if each.word == word]

    def environment(self, word: str = "ENV") -> dict[str, str]:
        """What its ENV (or LABEL) instructions set."""
        pairs = [pair for each in self.all(word) for pair in shlex.split(each.value)]
        return dict(pair.split("=", 1) for pair in pairs)


def arguments(path: Path) -> dict[str, str]:
    """The defaults of the ARG instructions, those before the first FROM among them."""
    found = [each.value.partition("=") for each in _instructions(path) if each.word == "ARG"]
    return {name: value.strip('"') for name, equals, value in found if equals}


def stages(path: Path) -> list[Stage]:
    """The stages, with the base images that the defaults of the arguments name."""
    given = arguments(path)
    found: list[tuple[str, str, list[Instruction]]] = []
    for each in _instructions(path):
        if each.word == "FROM":
            named = _STAGE.match(each.value)
            assert named, f"cannot read: FROM {each.value}"
            base = re.sub(r"\$\{(\w+)\}", lambda name: given[name[1]], named["base"])
            found.append((base, named["name"] or "", []))
        elif found:
            found[-1][2].append(each)
    return [Stage(base, name, tuple(instructions)) for base, name, instructions in found]


def _instructions(path: Path) -> list[Instruction]:
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    found = []
    for text in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = text.partition(" ")
        flags = {}
        while flag := _FLAG.match(rest):
            flags[flag["name"]] = flag["value"]
            rest = rest[flag.end() :]
        found.append(Instruction(word, flags, re.sub(r"\s+", " ", rest).strip()))
    return found
