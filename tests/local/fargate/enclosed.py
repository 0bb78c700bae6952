"""An embedded Fargate that runs what this host can execute, and what its tests ask of it."""

from typing import Any

from app.local.fargate.config import Pace
from tests.local.fargate.fakes import Aws, a_container, until

AT_ONCE = Pace(
    provisioning=0, pending=0, activating=0, deactivating=0, deprovisioning=0, visible_after=0, logged_after=0
)


def sh(script: str, name: str = "main", **fields: Any) -> dict[str, Any]:
    """A container that runs a shell script."""
    return a_container(name, entryPoint=["sh", "-c", script], **fields)


def mounted(volume: str, path: str, **fields: Any) -> dict[str, Any]:
    """A mount point."""
    return {"sourceVolume": volume, "containerPath": path, **fields}


async def stopped(aws: Aws, arn: str) -> dict[str, Any]:
    """The task, once it has stopped."""
    await until(lambda: "STOPPED" in {status for _, status, _ in aws.statuses(arn)})
    return await aws.task(arn)


async def ran(aws: Aws, *containers: dict[str, Any], **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """The task with these containers once it has stopped, and the lines of its container `main`."""
    await aws.register(containerDefinitions=list(containers), **fields)
    arn = await aws.run(fields.get("family", "web"))
    task = await stopped(aws, arn)
    return task, await aws.lines(arn)


def codes(task: dict[str, Any]) -> list[int | None]:
    """The containers' exit codes, as they are defined."""
    return [each.get("exitCode") for each in task["containers"]]
