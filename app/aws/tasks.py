"""Tasks of one ECS cluster on Fargate (app.ports.tasks.Tasks)."""

import asyncio
import re
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from app.aws import errors, translate
from app.aws.connection import Connection
from app.aws.limiter import Lane, Limiter
from app.aws.paced import paced
from app.model.names import TaskArn
from app.model.task import Launch, Task
from app.model.wire import Json
from app.ports.failures import Unavailable
from app.ports.tasks import Described, Tasks

DESCRIBED_AT_ONCE: Final = 100
"""DescribeTasks takes no more ARNs, ListTasks gives no more, in one call."""

READ_ATTEMPTS: Final = 3

_SPOT: Final = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]

_TASK_ID: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
"""ECS's ids: 32 hexadecimal digits; a UUID with hyphens under ARNs of the old format."""


class TaskPlacement(msgspec.Struct, frozen=True, kw_only=True):
    """Where tasks run.

    Attributes:
        cluster: the ECS cluster's name or ARN; ours alone, since whole listings are read.
        subnets: at most 16 subnet ids, of the zone that the virtual node stands for.
        security_groups: at most 5; the VPC's default one where empty.
        assign_public_ip: for subnets without a NAT gateway.
        platform_version: Fargate's, as `1.4.0` or `LATEST`.
    """

    cluster: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...] = ()
    assign_public_ip: bool = False
    platform_version: str = "LATEST"


class EcsTasks(Tasks):
    """RunTask, StopTask, DescribeTasks and ListTasks of one cluster."""

    def __init__(self, connection: Connection, *, limiter: Limiter, placement: TaskPlacement) -> None:
        self._connection = connection
        self._limiter = limiter
        self._placement = placement

    async def run(self, launch: Launch, *, definition_arn: str) -> Task:
        """RunTask, once: who repeats it does so with the same launch, thus with the same client token."""
        answer = await paced(
            self._connection.launches,
            self._limiter,
            Lane.LAUNCH,
            "run_task",
            **self._request(launch, definition_arn),
        )
        if not answer.get("tasks"):
            raise errors.launch_failure(answer.get("failures", ()))
        return translate.launched(answer["tasks"][0], launch)

    def _request(self, launch: Launch, definition_arn: str) -> dict[str, Json]:
        # Every parameter is compared when a client token comes again: all must follow from the arguments.
        spot = launch.capacity == "spot"
        return {
            "cluster": self._placement.cluster,
            "taskDefinition": definition_arn,
            **({"capacityProviderStrategy": _SPOT} if spot else {"launchType": "FARGATE"}),
            **({"volumeConfigurations": list(launch.volumes)} if launch.volumes else {}),
            **({"enableExecuteCommand": True} if launch.execute_command else {}),
            "platformVersion": self._placement.platform_version,
            "count": 1,
            "clientToken": launch.client_token,
            "startedBy": launch.started_by,
            "overrides": launch.overrides,
            "networkConfiguration": {"awsvpcConfiguration": self._network(launch)},
            "enableECSManagedTags": True,
            "tags": translate.tags_of(launch),
        }

    def _network(self, launch: Launch) -> dict[str, Json]:
        """Where the task's interface is.

        ECS chooses among all subnets at first. The next attempts name one of them each, so that a zone
        without capacity, or a subnet without addresses, does not fail them all; then all are named again.
        """
        groups = launch.security_groups or self._placement.security_groups
        subnets = self._placement.subnets
        turns = (subnets, *((each,) for each in subnets))
        chosen = turns[launch.turn % len(turns)]
        return {
            "subnets": list(chosen),
            **({"securityGroups": list(groups)} if groups else {}),
            "assignPublicIp": "ENABLED" if self._placement.assign_public_ip else "DISABLED",
        }

    async def stop(self, arn: TaskArn, *, reason: str) -> None:
        """StopTask; `reason` is cut to the 255 characters that ECS shows.

        Raises:
            NotFound: ECS does not know the task: it stopped more than an hour ago, or was launched just now.
        """
        cluster = self._placement.cluster
        await self._ask(Lane.STOP, "stop_task", cluster=cluster, task=arn, reason=reason[:255])

    async def describe(self, arns: Sequence[TaskArn]) -> Described:
        """DescribeTasks by the hundred, the chunks side by side; each task is asked for once.

        ECS refuses a whole call for one identifier that it cannot parse or that is of another cluster, region
        or account. Anybody may write such a one on a pod, so tasks are asked for by their bare ids, and what
        ends in none is missing without asking.
        """
        distinct = list(dict.fromkeys(task_id for arn in arns if (task_id := _task_id(arn))))
        starts = range(0, len(distinct), DESCRIBED_AT_ONCE)
        chunks = [distinct[start : start + DESCRIBED_AT_ONCE] for start in starts]
        parts = await asyncio.gather(*(self._chunk(chunk) for chunk in chunks))
        found = {task.arn: task for part in parts for task in part}
        asked = dict.fromkeys(arns)
        return Described(
            tasks=tuple(task for arn, task in found.items() if arn in asked),
            missing=tuple(arn for arn in asked if arn not in found),
        )

    async def _chunk(self, ids: Sequence[str]) -> Sequence[Task]:
        cluster = self._placement.cluster
        answer = await self._ask(Lane.READ, "describe_tasks", cluster=cluster, tasks=list(ids))
        found = translate.described(answer)
        told = {_task_id(arn) for arn in (*(each.arn for each in found.tasks), *found.missing)}
        silent = [each for each in ids if each not in told]
        if silent:
            raise Unavailable(f"DescribeTasks left out {len(silent)} of {len(ids)} tasks, as {silent[0]}")
        return found.tasks

    async def arns(self, desired: Literal["RUNNING", "STOPPED"]) -> tuple[TaskArn, ...]:
        """ListTasks, page by page; a failure of any page is a failure of all."""
        found: list[TaskArn] = []
        following: dict[str, Json] = {}
        while True:
            answer = await self._ask(
                Lane.READ,
                "list_tasks",
                cluster=self._placement.cluster,
                desiredStatus=desired,
                maxResults=DESCRIBED_AT_ONCE,
                **following,
            )
            found += [TaskArn(arn) for arn in answer.get("taskArns", ())]
            if not answer.get("nextToken"):
                return tuple(found)
            following = {"nextToken": answer["nextToken"]}

    async def _ask(self, lane: Lane, operation: str, **parameters: Json) -> dict[str, Json]:
        channel = self._connection.control
        return await paced(channel, self._limiter, lane, operation, attempts=READ_ATTEMPTS, **parameters)


def _task_id(arn: str) -> str:
    """The id at the end of an ARN; empty where there is none."""
    tail = arn.rsplit("/", 1)[-1]
    return tail if _TASK_ID.fullmatch(tail) else ""
