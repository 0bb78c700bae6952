"""ECS's service-linked role. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceLinkedRole.html."""

import contextlib
from collections.abc import Collection
from typing import Final

from app.aws.account.calls import Calls, Denied
from app.aws.account.makers.maker import Maker
from app.aws.account.names import Names
from app.aws.account.plan import Found
from app.aws.account.wanted import Key, Resource
from app.ports.failures import Refused

_SERVICE: Final = "ecs.amazonaws.com"
_TAKEN: Final = "has been taken"


async def has_service_role(calls: Calls) -> bool:
    """Whether ECS has its role; it is known by its path, which only the service itself may use.

    Raises:
        PortFailure: IAM does not tell.
    """
    path = f"/aws-service-role/{_SERVICE}/"
    return bool(await calls.pages("iam", "list_roles", "Roles", tokens=("Marker", "Marker"), PathPrefix=path))


class ServiceRoles(Maker):
    """The role with which ECS attaches tasks' interfaces; every cluster of the account shares it."""

    def __init__(self, calls: Calls, names: Names) -> None:
        self._calls = calls
        self._names = names

    async def find(self, key: Key) -> Found | None:
        """As the port; what may not be seen is taken to be there, as it is in all but new accounts."""
        with contextlib.suppress(Denied):
            if not await has_service_role(self._calls):
                return None
        return Found(key=key, owner=self._names.name)

    async def create(self, resource: Resource) -> Collection[str]:  # noqa: ARG002  (the port's)
        """As the port; IAM chooses its name and takes no tags. ECS may have been quicker."""
        try:
            await self._calls.ask("iam", "create_service_linked_role", AWSServiceName=_SERVICE)
        except Refused as failure:
            if isinstance(failure, Denied) or _TAKEN not in str(failure):
                raise
        return ()

    async def change(self, resource: Resource, aspects: Collection[str]) -> None:
        """As the port; there is nothing to change."""

    async def delete(self, found: Found) -> None:
        """As the port.

        Raises:
            Refused: always; it is the account's.
        """
        raise Refused(f"{found.key} is not ours to remove")
