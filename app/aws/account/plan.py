"""What is wanted and what was found, as steps. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from app.aws.account.documents import canonical
from app.aws.account.names import OWNER
from app.aws.account.wanted import POLICY, TRUST, Key, Kind, Resource
from app.model.wire import Json


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A resource of the wanted name as it is.

    Attributes:
        key: which.
        identifier: how its API calls it where that is not the name: an ARN, a URL, a group's id.
        owner: the value of the tag `spillway.dev/name`; empty where there is none. Of a role that another
            region's installation of the same name has made, it names that region, too.
        aspects: how it is, by the names that `wanted` uses.
        notes: what else there is to say of it: foreign policies on a role.
    """

    key: Key
    identifier: str = ""
    owner: str = ""
    aspects: Mapping[str, Json] = {}
    notes: tuple[str, ...] = ()


class Create(msgspec.Struct, frozen=True):
    """It is not there."""

    resource: Resource


class Change(msgspec.Struct, frozen=True):
    """It is ours, and not as wanted in some aspects."""

    resource: Resource
    found: Found
    aspects: tuple[str, ...]


class Keep(msgspec.Struct, frozen=True):
    """It is as wanted."""

    found: Found


class Refuse(msgspec.Struct, frozen=True):
    """It is somebody else's."""

    found: Found
    reason: str


class Delete(msgspec.Struct, frozen=True):
    """It is ours, and to go."""

    found: Found


class Absent(msgspec.Struct, frozen=True):
    """It is gone already."""

    key: Key


Step = Create | Change | Keep | Refuse
Removal = Delete | Absent | Refuse


def plan(wanted: Sequence[Resource], found: Mapping[Key, Found], *, owner: str) -> tuple[Step, ...]:
    """How the account becomes as wanted: a step for each resource, in the order of making them."""
    return tuple(_step(each, found.get(each.key), owner=owner) for each in wanted)


def plan_removal(keys: Sequence[Key], found: Mapping[Key, Found], *, owner: str) -> tuple[Removal, ...]:
    """How the account is rid of us: what stands on others goes first."""
    return tuple(_removal(each, found.get(each), owner=owner) for each in reversed(keys))


def _step(resource: Resource, found: Found | None, *, owner: str) -> Step:
    if found is None:
        return Create(resource)
    if found.owner != owner:
        return _refusal(found, owner=owner)
    different = tuple(
        name for name, value in resource.aspects.items() if not _same(name, value, found.aspects.get(name))
    )
    return Change(resource, found, different) if different else Keep(found)


def _removal(key: Key, found: Found | None, *, owner: str) -> Removal:
    if found is None:
        return Absent(key)
    return Delete(found) if found.owner == owner else _refusal(found, owner=owner)


def _refusal(found: Found, *, owner: str) -> Refuse:
    whose = f"it has the tag {OWNER}={found.owner}" if found.owner else f"it has no tag {OWNER}"
    mend = f"choose another --name, or tag it {OWNER}={owner} where Spillway may have it"
    if found.key.kind is Kind.ROLE:
        mend += " (a role's name counts in all regions of the account)"
    return Refuse(found, f"{whose}: {mend}")


def _same(name: str, wanted: Json, found: Json) -> bool:
    if name in {TRUST, POLICY}:
        return bool(canonical(wanted) == canonical(found))
    return bool(wanted == found)
