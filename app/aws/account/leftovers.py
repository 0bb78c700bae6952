"""What bridges leave: tasks, task definitions, secrets, and the log of Container Insights."""

import contextlib
import re
from collections.abc import Callable, Sequence
from typing import Final

from app.aws.account.calls import Calls, parts
from app.aws.account.departure import Leftovers
from app.aws.account.names import FAMILIES, SECRETS, Names
from app.aws.translate import MANAGED_BY
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import Conflict, NotFound, Unavailable

_TOKENS: Final = ("nextToken", "nextToken")
_FAMILY: Final = re.compile(rf"task-definition/{FAMILIES}[0-9a-f]{{40}}:[0-9]+", re.ASCII)
"""A definition that a bridge has registered: its family is the hash of its content."""

_DESCRIBED_AT_ONCE: Final = 100
_DELETED_AT_ONCE: Final = 10
_PATIENCE: Final = 300.0
"""Seconds for tasks to end: at most two minutes of grace, and their interfaces' removal."""

_EVERY: Final = 5.0
_REASON: Final = "spillway aws destroy"

Counted = Callable[[str, int, int], None]
"""Hears of progress: of what, how many are done, of how many."""


class Sweeper:
    """Finds what bridges leave in an account, and removes it."""

    def __init__(self, calls: Calls, names: Names, *, clock: Clock) -> None:
        """Nothing is asked yet."""
        self._calls = calls
        self._names = names
        self._clock = clock

    async def tasks(self) -> tuple[str, ...]:
        """Tasks of our cluster that are meant to run; none where it is gone. Raises PortFailure."""
        return await self._listed()

    async def look(self, tasks: Sequence[str]) -> Leftovers:
        """Everything but the tasks, which are the caller's. Raises PortFailure."""
        return Leftovers(
            tasks=tuple(tasks),
            active=await self._definitions("ACTIVE"),
            inactive=await self._definitions("INACTIVE"),
            secrets=await self._secrets(),
            performance_log=await self._has_log(),
        )

    async def _definitions(self, status: str) -> tuple[str, ...]:
        listed = await self._calls.pages(
            "ecs", "list_task_definitions", "taskDefinitionArns", tokens=_TOKENS, status=status
        )
        return tuple(arn for arn in listed if _FAMILY.search(arn))

    async def _secrets(self) -> tuple[str, ...]:
        listed = await self._calls.pages(
            "secretsmanager",
            "list_secrets",
            "SecretList",
            tokens=("NextToken", "NextToken"),
            Filters=[{"Key": "name", "Values": [SECRETS]}],
        )
        return tuple(str(each["ARN"]) for each in listed if _is_kept(each))

    async def _has_log(self) -> bool:
        name = self._names.performance_log
        listed = await self._calls.pages(
            "logs", "describe_log_groups", "logGroups", tokens=_TOKENS, logGroupNamePrefix=name
        )
        return any(each.get("logGroupName") == name for each in listed)

    async def stop(self, tasks: Sequence[str], *, counted: Counted) -> None:
        """Stop tasks, and wait until the last has ended.

        Raises:
            Unavailable: some still run after five minutes.
            PortFailure: a call failed.
        """
        for number, arn in enumerate(tasks, start=1):
            with contextlib.suppress(NotFound):  # it ended by itself
                await self._calls.ask(
                    "ecs", "stop_task", cluster=self._names.cluster, task=arn, reason=_REASON
                )
            counted("tasks told to stop", number, len(tasks))
        await self._wait(tasks, counted=counted)

    async def _wait(self, tasks: Sequence[str], *, counted: Counted) -> None:
        until = self._clock.steady() + _PATIENCE
        while left := [arn for part in parts(tasks, _DESCRIBED_AT_ONCE) for arn in await self._live(part)]:
            counted("tasks ended", len(tasks) - len(left), len(tasks))
            if self._clock.steady() > until:
                raise Unavailable(f"still running after {_PATIENCE:g} s: {', '.join(left)}; try again")
            await self._clock.sleep(_EVERY)

    async def ended(self, *, counted: Counted) -> None:
        """Wait for tasks that are told to stop already: ECS keeps a cluster as long as one of them lasts.

        Raises:
            PortFailure: as `stop`.
        """
        await self._wait(await self._listed(desiredStatus="STOPPED"), counted=counted)

    async def _listed(self, **filters: Json) -> tuple[str, ...]:
        cluster = self._names.cluster
        try:
            listed = await self._calls.pages(
                "ecs", "list_tasks", "taskArns", tokens=_TOKENS, cluster=cluster, **filters
            )
        except NotFound:
            return ()
        return tuple(map(str, listed))

    async def _live(self, tasks: list[str]) -> list[str]:
        answer = await self._calls.ask("ecs", "describe_tasks", cluster=self._names.cluster, tasks=tasks)
        states = {each["taskArn"]: each.get("lastStatus") for each in answer.get("tasks", ())}
        return [arn for arn in tasks if states.get(arn, "STOPPED") not in {"STOPPED", "DELETED"}]

    async def remove(self, left: Leftovers, *, counted: Counted) -> None:
        """Remove definitions, secrets and the log; the tasks are `stop`'s. Raises PortFailure."""
        for number, arn in enumerate(left.active, start=1):
            with contextlib.suppress(NotFound):  # somebody was quicker
                await self._calls.ask("ecs", "deregister_task_definition", taskDefinition=arn)
            counted("task definitions deregistered", number, len(left.active))
        await self._delete((*left.active, *left.inactive), counted=counted)
        for number, arn in enumerate(left.secrets, start=1):
            await self._forget(arn)
            counted("secrets deleted", number, len(left.secrets))
        if left.performance_log:
            try:
                await self._calls.ask("logs", "delete_log_group", logGroupName=self._names.performance_log)
            except NotFound:
                return

    async def _delete(self, definitions: Sequence[str], *, counted: Counted) -> None:
        done = 0
        for part in parts(definitions, _DELETED_AT_ONCE):
            answer = await self._calls.ask("ecs", "delete_task_definitions", taskDefinitions=part)
            failed = answer.get("failures") or ()
            if failed:
                raise Conflict(f"DeleteTaskDefinitions: {failed[0].get('arn')}: {failed[0].get('reason')}")
            done += len(part)
            counted("task definitions deleted", done, len(definitions))

    async def _forget(self, arn: str) -> None:
        try:
            await self._calls.ask(
                "secretsmanager", "delete_secret", SecretId=arn, ForceDeleteWithoutRecovery=True
            )
        except NotFound:
            return


def _is_kept(secret: Json) -> bool:
    """Whether a bridge keeps it: others may have names that begin alike."""
    tagged = any(each.get("Key") == MANAGED_BY for each in secret.get("Tags") or ())
    return tagged and str(secret.get("Name", "")).startswith(SECRETS)
