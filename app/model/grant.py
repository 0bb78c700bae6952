"""Grants: the pods that may land on a virtual node, and their form in that node's annotation.

One writer (the extender's leader), many readers (every replica of the extender, people). The annotation is
the ledger's only home: it survives any restart, and it goes with the node.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Annotated

import msgspec

from app.model.names import GRANTS, PodUid
from app.model.resources import Resources


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Leave for one pod to land on one virtual node until it expires.

    `room` is what the node's allocatable is raised by while the grant lives or the pod is bound;
    `expires` has a time zone, so that it compares with a clock's.
    """

    uid: PodUid
    pod: str
    room: Resources
    expires: Annotated[datetime, msgspec.Meta(tz=True)]


class GrantsError(ValueError):
    """The annotation is not one that the gate wrote."""


def read_grants(annotations: Mapping[str, str]) -> tuple[Grant, ...]:
    """The grants on a node; none where the annotation is absent or empty.

    Raises:
        GrantsError: the annotation was written by someone else.
    """
    text = annotations.get(GRANTS, "")
    return _decoded(text) if text else ()


@lru_cache(maxsize=32)
def _decoded(text: str) -> tuple[Grant, ...]:
    """Read once: each node's text is looked at several times in every turn of the gate."""
    try:
        return msgspec.json.decode(text, type=tuple[Grant, ...])
    except (msgspec.MsgspecError, RecursionError) as error:
        raise GrantsError(
            f"annotation {GRANTS} does not hold grants ({error}); remove it, the gate writes it anew"
        ) from error


def written(grants: Iterable[Grant]) -> str:
    """The annotation's value, in a stable order so that equal ledgers are equal text."""
    return msgspec.json.encode(sorted(grants, key=lambda grant: grant.uid)).decode()
