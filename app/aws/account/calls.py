"""Calls to AWS as a command for people makes them: one by one, paced, repeated where that helps."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from app.aws import errors, throttle
from app.aws.connection import Connection
from app.aws.throttle import Bucket, Quota
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import Conflict, NotFound, PortFailure, Refused, Throttled, Unavailable

T = TypeVar("T")

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
_LONG: Final = 4.0
"""A pause that a person should hear of, in seconds."""

_PREFIXES: Final[Mapping[str, str]] = {"service-quotas": "servicequotas"}
"""Services whose permissions are not called as boto3 calls the service."""

_PERFORM: Final = re.compile(r"to perform:? ([a-z0-9-]+:\w+)(?: on resource:? (\S+))?", re.ASCII)
"""How AWS names the permission that is missing; it may be another than the operation's: for its tags."""

_OBJECTS: Final = (
    *("RoleName", "AWSServiceName", "clusterName", "cluster", "clusters", "logGroupName", "resourceArn"),
    *("logGroupNamePrefix", "QueueName", "QueueUrl", "GroupName", "GroupId", "Rule", "Name", "SecretId"),
    *("taskDefinition", "PolicySourceArn", "ResourceARN"),
)
"""Fields of a request that say what it is about."""

Waiting = Callable[[str, float], None]
"""Hears why a call is repeated, and in how many seconds."""

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
        "AuthorizationErrorException",
        "AWS.SimpleQueueService.AccessDenied",
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
        # Policies of the role that were deleted a moment ago still count.
        "DeleteConflict",
        "ResourceInUseException",
        "ClusterContainsTasksException",
    }
)
_EARLY: Final = (
    *("invalid principal", "service linked role", "cluster was not active"),
    *("dead letter target does not exist", "since it has targets"),
)
"""What AWS says, under codes of many meanings, of what was made or emptied just now.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""


class Denied(Refused):
    """The identity that the command runs with may not do this."""


def _unheard(why: str, pause: float) -> None:
    """Nobody wants to hear of pauses."""


class Calls:
    """boto3's operations of any service, in our own failures."""

    def __init__(self, connection: Connection, *, clock: Clock, waiting: Waiting = _unheard) -> None:
        """Nothing is asked yet; `waiting` hears of pauses that a person would wonder at."""
        self._connection = connection
        self._clock = clock
        self._waiting = waiting
        self._buckets: dict[str, Bucket] = {}

    @property
    def region(self) -> str:
        """Where everything is that has a place."""
        return self._connection.region

    async def ask(
        self, service: str, operation: str, *, settling: bool = False, **parameters: Json
    ) -> dict[str, Json]:
        """One operation, as boto3 spells it, and its answer.

        Args:
            service: as boto3 names it.
            operation: as `create_cluster`.
            settling: what it is about was made or emptied just now: what is not there yet, or is still in
                use, is tried again for a minute. What is to be deleted and is not there is gone.
            parameters: the request.

        Raises:
            Denied: the command's identity lacks the permission.
            PortFailure: the last try's failure.
        """
        channel = await self._connection.channel(service)
        for pause in (*_PAUSES, None):
            await self._pace(service, operation)
            try:
                return await channel.call(operation, **parameters)
            except PortFailure as failure:
                if pause is None or not _again(failure, operation, pause, settling=settling):
                    raise _understood(failure, service, operation, parameters) from failure.__cause__
                if pause >= _LONG:
                    self._waiting(" ".join(str(failure).split()), pause)
            await self._clock.sleep(pause)
        raise AssertionError("the last try returns or raises")

    async def pages(
        self,
        service: str,
        operation: str,
        listed: str,
        *,
        tokens: tuple[str, str],
        settling: bool = False,
        **parameters: Json,
    ) -> list[Json]:
        """All of a listing; a failure of any page is a failure of all.

        Args:
            service: as boto3 names it.
            operation: as `list_tasks`.
            listed: the answer's field with the list.
            tokens: the request's field for the next page, and the answer's.
            settling: as `ask`.
            parameters: the request.

        Raises:
            PortFailure: as `ask`.
        """
        found: list[Json] = []
        following: dict[str, Json] = {}
        while True:
            answer = await self.ask(service, operation, settling=settling, **parameters, **following)
            found += answer.get(listed) or ()
            if not answer.get(tokens[1]):
                return found
            following = {tokens[0]: answer[tokens[1]]}

    async def _pace(self, service: str, operation: str) -> None:
        """Wait for our turn: services throttle apart from each other, and some operations by themselves."""
        name, quota = (operation, _SLOW[operation]) if operation in _SLOW else (service, _ORDINARY)
        bucket = self._buckets.get(name) or throttle.full(quota, now=self._clock.steady())
        await self._clock.sleep(throttle.wait(bucket, now=self._clock.steady()))
        self._buckets[name] = throttle.taken(bucket, now=self._clock.steady())


def parts(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """The items in their order, as many at once as an operation takes."""
    return (list(items[start : start + size]) for start in range(0, len(items), size))


def _again(failure: PortFailure, operation: str, pause: float, *, settling: bool) -> bool:
    code = errors.code_of(failure)
    if isinstance(failure, Throttled):
        return True
    if isinstance(failure, Unavailable) and pause <= _SHORT and _READS.match(operation):
        return True
    if isinstance(failure, NotFound) or code in _GONE:
        return settling and not operation.startswith("delete_")
    return settling and (code in _SETTLING or any(words in str(failure).lower() for words in _EARLY))


def _understood(
    failure: PortFailure, service: str, operation: str, parameters: Mapping[str, Json]
) -> PortFailure:
    code = errors.code_of(failure)
    if code in _GONE:
        return NotFound(str(failure))
    if code in _THERE or code in _SETTLING:
        return Conflict(str(failure))
    if code in _DENIED:
        # First what is to be done: EC2's own words can be a page of code.
        return Denied(f"{_missing(str(failure), service, operation, parameters)}: {failure}")
    return failure


def _missing(said: str, service: str, operation: str, parameters: Mapping[str, Json]) -> str:
    """Which permission, and for what: AWS's own words are nearer to it than the operation's name."""
    named = _PERFORM.search(said)
    if named:
        permission, resource = named[1], (named[2] or "").rstrip(".,")
    else:
        words = "".join(part.capitalize() for part in operation.split("_"))
        permission, resource = f"{_PREFIXES.get(service, service)}:{words}", ""
    about = resource or next((_text(parameters[each]) for each in _OBJECTS if each in parameters), "")
    return f"your identity needs the permission {permission}{f' for {about}' if about else ''}"


def _text(value: Json) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
