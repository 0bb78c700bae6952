"""An embedded Fargate under a clock that the test moves, asked through its API without a socket."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from app.local.fargate.config import FargateConfig, Pace
from app.local.fargate.embedded import EmbeddedFargate
from app.local.fargate.journal import Transition
from app.model.names import ATTEMPT_VARIABLE, IDENTITY_VARIABLE
from app.model.task import Identity
from tests.fakes import VirtualClock

PACE = Pace(
    provisioning=8,
    pending=12,
    activating=1,
    deactivating=1,
    deprovisioning=10,
    visible_after=0,
    logged_after=0,
    kept=3600,
)
TO_RUNNING = PACE.provisioning + PACE.pending + PACE.activating
ROLE = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole"
CLUSTER = "spillway"
GROUP = "/spillway/pods"

_TARGETS = {
    "CreateSecret": "secretsmanager",
    "DescribeSecret": "secretsmanager",
    "GetSecretValue": "secretsmanager",
    "PutSecretValue": "secretsmanager",
    "ListSecrets": "secretsmanager",
    "DeleteSecret": "secretsmanager",
    "PutCluster": "AmazonEC2ContainerServiceV20141113",
    "GetQueue": "AmazonSQS",
    "ReceiveMessage": "AmazonSQS",
    "DeleteMessage": "AmazonSQS",
    "Filter": "Logs_20140328",
    "Get": "Logs_20140328",
    "Put": "Logs_20140328",
    "CreateLog": "Logs_20140328",
    "DescribeLog": "Logs_20140328",
}


class Refusal(Exception):
    """An answer that is an error; its text begins with the code."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{body['__type']}: {body['message']}")
        self.status = status
        self.body = body


class LostAnswer(Exception):
    """The answer was withheld."""


class Aws:
    """The far side, and the clock that drives it."""

    def __init__(
        self,
        *,
        clock: VirtualClock | None = None,
        can_execute: Callable[[str], bool] = lambda _command: False,
        **config: Any,
    ) -> None:
        numbers = itertools.count(1)
        self.clock = clock or VirtualClock()
        config.setdefault("pace", PACE)
        self.fargate = EmbeddedFargate(
            FargateConfig(**config),
            clock=self.clock,
            ids=lambda: f"{next(numbers):032x}",
            can_execute=can_execute,
        )
        self.journal = self.fargate.journal
        self.driver = asyncio.get_running_loop().create_task(self.fargate._agenda.run())

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """The answer; raises Refusal or LostAnswer."""
        prefix = next(
            (target for start, target in _TARGETS.items() if operation.startswith(start)),
            "AmazonEC2ContainerServiceV20141113",
        )
        answer = await self.fargate.api.handle(f"{prefix}.{operation}", msgspec.json.encode(params))
        body: dict[str, Any] = msgspec.json.decode(answer.body)
        if answer.withheld:
            raise LostAnswer(operation)
        if answer.status != 200:
            raise Refusal(answer.status, body)
        return body

    async def register(self, **changes: Any) -> str:
        """Register a definition, and return its ARN."""
        body = await self.call("RegisterTaskDefinition", **a_definition(**changes))
        arn: str = body["taskDefinition"]["taskDefinitionArn"]
        return arn

    async def run(self, definition: str = "web", **changes: Any) -> str:
        """Run a task, and return its ARN."""
        body = await self.call("RunTask", **a_launch(definition, **changes))
        arn: str = body["tasks"][0]["taskArn"]
        return arn

    async def running(self, **changes: Any) -> str:
        """Register, run, and wait until the task is RUNNING."""
        await self.register(**changes)
        arn = await self.run()
        await self.clock.advance(TO_RUNNING)
        return arn

    async def task(self, arn: str, **params: Any) -> dict[str, Any]:
        """The task as DescribeTasks shows it."""
        body = await self.call("DescribeTasks", cluster=CLUSTER, tasks=[arn], **params)
        found: dict[str, Any] = body["tasks"][0]
        return found

    async def arns(self, **params: Any) -> list[str]:
        """One page of ListTasks."""
        found: list[str] = (await self.call("ListTasks", cluster=CLUSTER, **params))["taskArns"]
        return found

    async def lines(self, arn: str, container: str = "main") -> list[str]:
        """A container's log."""
        stream = f"pods/{container}/{arn.rsplit('/', 1)[-1]}"
        body = await self.call("GetLogEvents", logGroupName=GROUP, logStreamName=stream, startFromHead=True)
        return [each["message"] for each in body["events"]]

    def statuses(self, arn: str) -> list[tuple[int, str, str]]:
        """(version, lastStatus, desiredStatus) of each transition."""
        return [
            (each.version, each.status, each.desired)
            for each in self.journal.since()
            if isinstance(each, Transition) and each.task == arn
        ]


Build = Callable[..., Aws]
"""Makes an embedded Fargate by its configuration."""


def a_container(name: str = "main", **fields: Any) -> dict[str, Any]:
    """A container definition that logs to the group of the pods."""
    script = fields.pop("script", None)
    container: dict[str, Any] = {
        "name": name,
        "image": "registry.example/app:1",
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": GROUP,
                "awslogs-region": "us-east-1",
                "awslogs-stream-prefix": "pods",
            },
        },
        **fields,
    }
    if script is not None:
        container["environment"] = [
            {"name": "SPILLWAY_SIMULATE", "value": msgspec.json.encode(script).decode()}
        ]
    return container


def a_definition(**changes: Any) -> dict[str, Any]:
    """RegisterTaskDefinition's request; None leaves a member out."""
    request = {
        "family": "web",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "containerDefinitions": [a_container()],
        **changes,
    }
    return {name: value for name, value in request.items() if value is not None}


def a_launch(definition: str = "web", **changes: Any) -> dict[str, Any]:
    """RunTask's request; None leaves a member out."""
    request = {
        "cluster": CLUSTER,
        "taskDefinition": definition,
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-local"]}},
        **changes,
    }
    return {name: value for name, value in request.items() if value is not None}


def overrides_for(uid: str, *, attempt: int = 1) -> Mapping[str, Any]:
    """The overrides that say whose task it is."""
    identity = Identity(cluster="c", node="fargate-1a", namespace="shop", name=uid, uid=uid)  # type: ignore[arg-type]  # a PodUid is a str
    return {
        "containerOverrides": [
            {
                "name": "main",
                "environment": [
                    {"name": IDENTITY_VARIABLE, "value": identity.text()},
                    {"name": ATTEMPT_VARIABLE, "value": str(attempt)},
                ],
            }
        ]
    }


async def until(true: Callable[[], Any]) -> None:
    """Wait in real time for something that a process or a socket does."""
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110  (it sets no event of ours)
            await asyncio.sleep(0.01)
