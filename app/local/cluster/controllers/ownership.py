"""What becomes of an object whose owners are gone: a pure function of its ownerReferences.

https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents
"""

from collections.abc import Collection, Sequence

import msgspec

from app.model.wire import Json


class Keep(msgspec.Struct, frozen=True):
    """An owner is there, or the object never had one."""


class Release(msgspec.Struct, frozen=True):
    """Some owners are gone: only these references stay."""

    references: tuple[Json, ...]


class Collect(msgspec.Struct, frozen=True):
    """Every owner is gone: the object goes as well."""


Verdict = Keep | Release | Collect


def verdict(references: Sequence[Json], *, absent: Collection[str]) -> Verdict:
    """What to do with an object.

    Args:
        references: its `metadata.ownerReferences`.
        absent: uids of the owners that are known not to exist.
    """
    left = tuple(each for each in references if each["uid"] not in absent)
    if len(left) == len(references):
        return Keep()
    return Release(left) if left else Collect()
