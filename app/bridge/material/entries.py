"""What entries of the vault are called, and how an object's keys are laid out in them. Pure.

A name tells whose entry it is (cluster, node) and stands for one content for ever (uid and resourceVersion of
the object); it says nothing about the content.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.model.meta import ObjectMeta

LARGEST: Final = 65_536
"""Bytes in one entry.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
"""

_ROOT: Final = "spillway"


class Part(msgspec.Struct, frozen=True):
    """One entry's content, key → text; the texts of the keys in `encoded` are base64.

    Its text form never shows a value.
    """

    content: dict[str, str]
    encoded: frozenset[str]

    def __repr__(self) -> str:
        return f"Part({sorted(self.content)})"

    def __rich_repr__(self) -> list[tuple[str, list[str]]]:
        """What rich prints in place of the fields."""
        return [("keys", sorted(self.content))]


def prefix_of(*, cluster: str, node: str) -> str:
    """How the names of all entries begin that one node's bridge makes; no other bridge removes them."""
    return f"{_ROOT}/{cluster}/{node}/"


def seal_name(*, cluster: str) -> str:
    """The entry that holds the cluster's seal key; all its bridges share it, and none removes it."""
    return f"{_ROOT}/{cluster}/seal-1"


def entry_name(prefix: str, meta: ObjectMeta, *more: object) -> str:
    """The entry of one version of an object; `more` tells its parts apart.

    Joined by underscores: AWS adds a hyphen and six characters to each ARN, and a name that ends like that
    confuses its look-ups by partial ARN.
    """
    return prefix + "_".join([meta.uid, meta.resource_version, *map(str, more)])


def text_of(value: bytes) -> tuple[str, bool]:
    """The value as text, and whether it had to be encoded: no variable holds NUL, and no JSON raw bytes."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    return (base64.b64encode(value).decode(), True) if "\0" in text else (text, False)


def size_of(content: Mapping[str, str]) -> int:
    """Bytes of the content as the vault stores it."""
    return len(msgspec.json.encode(content))


def too_large(data: Mapping[str, bytes]) -> tuple[str, ...]:
    """The keys that fit no entry."""
    return tuple(key for key, value in data.items() if size_of({key: text_of(value)[0]}) > LARGEST)


def parts_of(data: Mapping[str, bytes]) -> tuple[Part, ...]:
    """The data in as many entries as it takes, in the order of its keys; none where it is empty.

    Every key must fit into one (`too_large`).
    """
    texts = {key: text_of(value) for key, value in data.items()}
    return tuple(_part(keys, texts) for keys in _groups(texts))


def _groups(texts: Mapping[str, tuple[str, bool]]) -> Iterable[list[str]]:
    """Greedily: `{` and `}` once, and for each key its pair and a comma."""
    group: list[str] = []
    size = 2
    for key, (text, _) in texts.items():
        more = size_of({key: text}) - 1
        if group and size + more - 1 > LARGEST:
            yield group
            group, size = [], 2
        group.append(key)
        size += more
    if group:
        yield group


def _part(keys: list[str], texts: Mapping[str, tuple[str, bool]]) -> Part:
    content = {key: texts[key][0] for key in keys}
    return Part(content, frozenset(key for key in keys if texts[key][1]))
