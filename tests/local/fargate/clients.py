"""The embedded Fargate on a socket, as boto3 and programs in a container see it."""

import asyncio
import itertools
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
from botocore.config import Config

from app.local.fargate.config import FargateConfig
from app.local.fargate.embedded import EmbeddedFargate
from tests.fakes import VirtualClock
from tests.local.fargate.enclosed import AT_ONCE
from tests.local.fargate.fakes import CLUSTER, GROUP, a_definition, a_launch


class Far:
    """A running embedded Fargate, and clients of it; `clock` stands still unless the test moves it."""

    def __init__(self, *, can_execute: Callable[[str], bool], **config: Any) -> None:
        numbers = itertools.count(1)
        self.clock = VirtualClock()
        self.fargate = EmbeddedFargate(
            FargateConfig(**{"pace": AT_ONCE, **config}),
            clock=self.clock,
            ids=lambda: f"{next(numbers):032x}",
            can_execute=can_execute,
        )
        self._clients: dict[str, Any] = {}

    async def start(self) -> None:
        self.url = await self.fargate.start()

    async def stop(self) -> None:
        for client in self._clients.values():
            client.close()
        await self.fargate.stop()

    def client(self, service: str) -> Any:
        """The one client of a service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name="us-east-1",
                aws_access_key_id="local",
                aws_secret_access_key="local",
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    async def ask(self, service: str, operation: str, **params: Any) -> Any:
        """One call of a client, by its snake-case name."""
        return await asyncio.to_thread(getattr(self.client(service), operation), **params)

    async def page(self, path: str) -> Any:
        """The JSON at a path."""

        def read() -> Any:
            with urllib.request.urlopen(self.url + path) as answer:  # noqa: S310  (loopback)
                return json.loads(answer.read())

        return await asyncio.to_thread(read)

    async def run(self, *containers: dict[str, Any], **fields: Any) -> str:
        """Register a definition and run it; the task's ARN."""
        definition = a_definition(containerDefinitions=list(containers), **fields)
        await self.ask("ecs", "register_task_definition", **definition)
        answer = await self.ask("ecs", "run_task", **a_launch(definition["family"]))
        arn: str = answer["tasks"][0]["taskArn"]
        return arn

    async def task(self, arn: str) -> Any:
        """The task as it is."""
        return (await self.ask("ecs", "describe_tasks", cluster=CLUSTER, tasks=[arn]))["tasks"][0]

    async def reaches(self, arn: str, status: str) -> Any:
        """The task, once it has a status."""
        async with asyncio.timeout(20):
            while (task := await self.task(arn))["lastStatus"] != status:  # noqa: ASYNC110  (as a client has to)
                await asyncio.sleep(0.02)
        return task

    async def lines(self, arn: str, container: str = "main") -> list[str]:
        """A container's log."""
        stream = f"pods/{container}/{arn.rsplit('/', 1)[-1]}"
        page = await self.ask(
            "logs", "get_log_events", logGroupName=GROUP, logStreamName=stream, startFromHead=True
        )
        return [each["message"] for each in page["events"]]
