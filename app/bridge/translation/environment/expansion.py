"""Texts with `$(NAME)` in them, expanded as a kubelet does, even where a value is known only inside the task.

https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec

MOST_TEXT: Final = 64 * 1024
"""Characters of one expanded value: a task definition holds no more. Chains of references can double."""


class Slot(msgspec.Struct, frozen=True):
    """A value that must not stand in what all pods of a template share.

    Attributes:
        kind: `own` is known and this pod's alone; `secret` and `fact` are known only inside the task.
        origin: the pod's field, where the secret is kept (`valueFrom`), or the fact's name (`podIP`).
        value: of an `own` one.
    """

    kind: Literal["own", "secret", "fact"]
    origin: str
    value: str = ""

    @property
    def is_late(self) -> bool:
        """Whether the value is known only inside the task."""
        return self.kind != "own"


Text = tuple[str | Slot, ...]
"""A value in parts. No part is an empty string, and no two neighbours are strings."""


class TextTooLongError(ValueError):
    """An expansion exceeds `MOST_TEXT` characters."""


def text_of(value: str) -> Text:
    """The text that is just this value."""
    return (value,) if value else ()


def is_late(text: Text) -> bool:
    """Whether the text is known only inside the task."""
    return any(isinstance(part, Slot) and part.is_late for part in text)


def is_own(text: Text) -> bool:
    """Whether the text holds a value that is this pod's alone."""
    return any(isinstance(part, Slot) and not part.is_late for part in text)


def slots(text: Text) -> Iterator[Slot]:
    """The text's slots in their order."""
    return (part for part in text if isinstance(part, Slot))


def plain(text: Text) -> str:
    """The value of a text that is not late."""
    return "".join(part.value if isinstance(part, Slot) else part for part in text)


def rendered(text: Text, names: Mapping[Slot, str]) -> str:
    """What the in-task helper expands to the value, with the variable of each slot (helper/README.md)."""
    return "".join(f"$({names[part]})" if isinstance(part, Slot) else escape(part) for part in text)


def escape(value: str) -> str:
    """The text that expands to this value, whatever variables there are."""
    return value.replace("$", "$$")


def references(text: str) -> frozenset[str]:
    """The names that the text refers to."""
    return frozenset(piece for is_reference, piece in _pieces(text) if is_reference)


def expanded(text: str, lookup: Callable[[str], Text | None]) -> Text:
    """The text with each `$(NAME)` replaced for which `lookup` has a text; `$$` stands for one dollar sign.

    Raises:
        TextTooLongError: the result exceeds `MOST_TEXT`.
    """
    return joined(_parts(text, lookup))


def joined(parts: Iterable[str | Slot]) -> Text:
    """The parts as one text.

    Raises:
        TextTooLongError: they exceed `MOST_TEXT`.
    """
    done: list[str | Slot] = []
    words: list[str] = []
    length = 0
    for part in parts:
        length += len(part.origin) if isinstance(part, Slot) else len(part)
        if length > MOST_TEXT:
            raise TextTooLongError(f"expands to more than {MOST_TEXT} characters")
        if isinstance(part, str):
            words.append(part)
            continue
        done.extend(text_of("".join(words)))
        words.clear()
        done.append(part)
    return (*done, *text_of("".join(words)))


def _parts(text: str, lookup: Callable[[str], Text | None]) -> Iterator[str | Slot]:
    for is_reference, piece in _pieces(text):
        value = lookup(piece) if is_reference else None
        if value is not None:
            yield from value
        else:
            yield f"$({piece})" if is_reference else piece


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """The text's pieces: whether each is a reference, and the name or the words themselves."""
    position = 0
    while position < len(text):
        dollar = text.find("$", position)
        if dollar < 0:
            yield False, text[position:]
            return
        if dollar > position:
            yield False, text[position:dollar]
        is_reference, piece, position = _at_dollar(text, dollar)
        yield is_reference, piece


def _at_dollar(text: str, dollar: int) -> tuple[bool, str, int]:
    follower = text[dollar + 1 : dollar + 2]
    if follower == "$":
        return False, "$", dollar + 2
    if follower == "(":
        end = text.find(")", dollar)
        if end >= 0:
            return True, text[dollar + 2 : end], end + 1
    return False, f"${follower}", dollar + 1 + len(follower)
