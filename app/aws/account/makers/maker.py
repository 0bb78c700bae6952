"""What all kinds of resources have in common."""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from app.aws.account.names import OWNER, REGION, Names
from app.aws.account.plan import Found
from app.aws.account.wanted import Key, Resource
from app.model.wire import Json


class Maker(Protocol):
    """Looks after one kind of resource."""

    async def find(self, key: Key) -> Found | None:
        """The resource as it is; None where there is none.

        Raises:
            NotFound: it goes while it is looked at.
            PortFailure: it cannot be looked at.
        """
        ...

    async def create(self, resource: Resource) -> Collection[str]:
        """Make it, tagged from the first moment. Raises PortFailure.

        Returns:
            the aspects that it could not be given at once, and that `change` has to.
        """
        ...

    async def change(self, resource: Resource, aspects: Collection[str]) -> None:
        """Make these aspects as wanted. Raises PortFailure."""
        ...

    async def delete(self, found: Found) -> None:
        """Remove it, and what stands in it; gone already is success. Raises PortFailure."""
        ...


def tags_of(names: Names) -> dict[str, str]:
    """The tags of everything that is ours."""
    return {OWNER: names.name, REGION: names.region}


def tag_list(names: Names, *, key: str = "Key", value: str = "Value") -> list[Json]:
    """The same, as most APIs write tags."""
    return [{key: name, value: text} for name, text in tags_of(names).items()]


def owner_in(tags: Iterable[Mapping[str, Json]], *, key: str = "Key", value: str = "Value") -> str:
    """Whose a resource is by its tags; empty where it is nobody's that we know."""
    return tags_in(tags, key=key, value=value).get(OWNER, "")


def tags_in(tags: Iterable[Mapping[str, Json]], *, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags by name."""
    return {str(each.get(key, "")): str(each.get(value, "")) for each in tags}
