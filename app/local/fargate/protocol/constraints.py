"""The constraints of botocore's service model that its own validator leaves to the service.

botocore checks names, types, required members and minima; AWS itself also refuses values that are no member
of an enumeration, too large, or not of the pattern.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

_CLASSES: Final = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s"}
"""Unicode classes as AWS's patterns name them, and as Python does."""


def violations(value: Any, shape: Shape, *, at: str = "") -> Iterator[str]:
    """Each violation, in AWS's words; `at` is the path to the value."""
    match shape:
        case StructureShape():
            for name, member in value.items():
                yield from violations(member, shape.members[name], at=f"{at}.{name}".lstrip("."))
        case ListShape():
            for index, member in enumerate(value, start=1):
                yield from violations(member, shape.member, at=f"{at}.{index}.member")
        case MapShape():
            for key, member in value.items():
                yield from violations(member, shape.value, at=f"{at}.{key}.member")
        case _:
            yield from _of_scalar(value, shape, at=at)
    yield from _too_large(value, shape, at=at)


def _of_scalar(value: Any, shape: Shape, *, at: str) -> Iterator[str]:
    if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
        wanted = f"enum value set: [{', '.join(shape.enum)}]"
        yield f"Value '{value}' at '{at}' failed to satisfy constraint: Member must satisfy {wanted}"
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not _compiled(pattern).fullmatch(value):
        wanted = f"regular expression pattern: {pattern}"
        yield f"Value '{value}' at '{at}' failed to satisfy constraint: Member must satisfy {wanted}"


def _too_large(value: Any, shape: Shape, *, at: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is None or isinstance(value, bool):
        return
    numeric = isinstance(value, int | float)
    if (value if numeric else len(value)) > most:
        wanted = f"{'value' if numeric else 'length'} less than or equal to {most}"
        yield f"Value at '{at}' failed to satisfy constraint: Member must have {wanted}"


def redacted(text: str, params: Mapping[str, Any], shape: StructureShape) -> str:
    """A text about a request without the values that the service model calls sensitive."""
    for name, member in shape.members.items():
        if params.get(name) and member.metadata.get("sensitive"):
            text = text.replace(str(params[name]), "*****")
    return text


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    for theirs, ours in _CLASSES.items():
        pattern = pattern.replace(theirs, ours)
    return re.compile(pattern)
