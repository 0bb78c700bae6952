"""Calls to AWS as a command for people makes them: one by one, paced, repeated where that helps."""

import re
from collections.abc import Mapping
from typing import Final

from app.aws import errors, throttle
from app.aws.connection import Connection
from app.aws.throttle import Quota
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import Conflict, NotFound, PortFailure, Refused, Throttled, Unavailable

_ORDINARY: Final = Quota(20, 10)
_SLOW: Final[Mapping[str, Quota]] = {
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html
    "deregister_task_definition": Quota(10, 1),
    "delete_task_definitions": Quota(5, 1),
}

_PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Seconds between tries: together longer than IAM takes to settle, and than a queue's name stays taken."""

_SHORT: Final = 2.0
"""The longest pause for a read that is not answered: a person waits."""

_READS: Final = re.compile(r"(?:get|list|describe|simulate)_")

_GONE: Final = frozenset(
    {
        "NoSuchEntity",
        "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue",
        "InvalidGroup.NotFound",
        "InvalidGroupId.NotFound",
        "InvalidPermission.NotFound",
        "InvalidVpcID.NotFound",
        "InvalidSubnetID.NotFound",
        "ClusterNotFoundException",
    }
)
_THERE: Final = frozenset(
    {
        "EntityAlreadyExists",
        "InvalidGroup.Duplicate",
        "InvalidPermission.Duplicate",
        "ResourceAlreadyExistsException",
    }
)
_DENIED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "UnauthorizedOperation",
        "Client.UnauthorizedOperation",
    }
)
_SETTLING: Final = frozenset(
    {
        # A queue's name is free a minute after its deletion.
        "QueueDeletedRecently",
        "AWS.SimpleQueueService.QueueDeletedRecently",
        "ConcurrentModification",
        "ConcurrentModificationException",
        "OperationAbortedException",
        "UpdateInProgressException",
        # Interfaces of tasks that have just ended still stand in the group.
        "DependencyViolation",
        "ResourceInUseException",
        "ClusterContainsTasksException",
    }
)
_INVALID_PRINCIPAL: Final = "Invalid principal"
"""IAM says so of a role that it has just made: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html."""


class Denied(Refused):
    """The identity that the command runs with may not do this."""


class Calls:
    """boto3's operations of any service, in our own failures."""

    def __init__(self, connection: Connection, *, clock: Clock) -> None:
        """Nothing is asked yet."""
        self._connection = connection
        self._clock = clock
        now = clock.steady()
        self._ordinary = throttle.full(_ORDINARY, now=now)
        self._slow = {operation: throttle.full(quota, now=now) for operation, quota in _SLOW.items()}

    @property
    def region(self) -> str:
        """Where everything is that has a place."""
        return self._connection.region

    async def ask(
        self, service: str, operation: str, *, settling: bool = False, region: str = "", **parameters: Json
    ) -> dict[str, Json]:
        """One operation, as boto3 spells it, and its answer.

        Args:
            service: as boto3 names it.
            operation: as `create_cluster`.
            settling: what it is about was made or removed just now: what is not there yet, or is still in
                use, is tried again for a minute.
            region: ours where it is empty.
            parameters: the request.

        Raises:
            Denied: the command's identity lacks the permission.
            PortFailure: the last try's failure.
        """
        channel = await self._connection.channel(service, region=region)
        for pause in (*_PAUSES, None):
            await self._pace(operation)
            try:
                return await channel.call(operation, **parameters)
            except PortFailure as failure:
                if pause is None or not _again(failure, operation, pause, settling=settling):
                    raise _understood(failure, service, operation) from failure
            await self._clock.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def pages(
        self, service: str, operation: str, listed: str, *, tokens: tuple[str, str], **parameters: Json
    ) -> list[Json]:
        """All of a listing; a failure of any page is a failure of all.

        Args:
            service: as boto3 names it.
            operation: as `list_tasks`.
            listed: the answer's field with the list.
            tokens: the request's field for the next page, and the answer's.
            parameters: the request.

        Raises:
            PortFailure: as `ask`.
        """
        found: list[Json] = []
        following: dict[str, Json] = {}
        while True:
            answer = await self.ask(service, operation, **parameters, **following)
            found += answer.get(listed) or ()
            if not answer.get(tokens[1]):
                return found
            following = {tokens[0]: answer[tokens[1]]}

    async def _pace(self, operation: str) -> None:
        slow = operation in self._slow
        bucket = self._slow[operation] if slow else self._ordinary
        await self._clock.sleep(throttle.wait(bucket, now=self._clock.steady()))
        taken = throttle.taken(bucket, now=self._clock.steady())
        if slow:
            self._slow[operation] = taken
        else:
            self._ordinary = taken


def _again(failure: PortFailure, operation: str, pause: float, *, settling: bool) -> bool:
    code = errors.code_of(failure)
    if isinstance(failure, Throttled):
        return True
    if isinstance(failure, Unavailable) and pause <= _SHORT and _READS.match(operation):
        return True
    return settling and (code in _SETTLING or code in _GONE or _INVALID_PRINCIPAL in str(failure))


def _understood(failure: PortFailure, service: str, operation: str) -> PortFailure:
    code = errors.code_of(failure)
    if code in _GONE:
        return NotFound(str(failure))
    if code in _THERE or code in _SETTLING:
        return Conflict(str(failure))
    if code in _DENIED:
        words = "".join(part.capitalize() for part in operation.split("_"))
        return Denied(f"{failure} (your identity needs the permission {service}:{words})")
    return failure
