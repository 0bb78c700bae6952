"""Performance log events of Container Insights. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-reference-performance-logs-ECS.html
"""

from collections.abc import Iterator, Mapping
from typing import Final

from app.local.fargate.protocol.wire import Json
from app.local.fargate.running.burden import Burden
from app.local.fargate.running.workload import Key
from app.local.fargate.tasks.record import ContainerRecord, TaskRecord

_MIB: Final = 1 << 20
_UNITS_PER_NANOSECOND: Final = 1024 / 1_000_000_000


def events(
    task: TaskRecord, now: Mapping[Key, Burden], before: Mapping[Key, Burden], *, at: int, seconds: float
) -> Iterator[Json]:
    """One event for each container that runs, and one for their task.

    Args:
        task: the task.
        now: what its containers take now.
        before: what they took `seconds` ago; new ones are absent.
        at: the time in milliseconds.
        seconds: between both.
    """
    total_cpu, total_memory = 0.0, 0
    for name, container in task.containers.items():
        burden = now.get((task.id, name))
        if burden is None:
            continue
        earlier = before.get((task.id, name), Burden())
        used = burden.cpu - earlier.cpu if burden.cpu >= earlier.cpu else burden.cpu  # it was restarted
        cpu = round(used * _UNITS_PER_NANOSECOND / seconds, 3)
        memory = burden.memory // _MIB
        total_cpu, total_memory = total_cpu + cpu, total_memory + memory
        yield _common(task, at=at) | _container(container) | _used(cpu, memory)
    yield (
        _common(task, at=at)
        | {"Type": "Task", "KnownStatus": task.status}
        | {"CpuReserved": float(task.definition.cpu), "MemoryReserved": task.definition.memory}
        | _used(round(total_cpu, 3), total_memory)
    )


def _common(task: TaskRecord, *, at: int) -> Json:
    family, revision = task.definition.short.rsplit(":", 1)
    return {
        "Version": "0",
        "TaskId": task.id,
        "TaskDefinitionFamily": family,
        "TaskDefinitionRevision": revision,
        "ClusterName": task.cluster_arn.rsplit("/", 1)[-1],
        "AccountID": task.arn.split(":")[4],
        "Region": task.arn.split(":")[3],
        "AvailabilityZone": task.zone,
        "LaunchType": "FARGATE",
        "Timestamp": at,
    }


def _container(container: ContainerRecord) -> Json:
    return {
        "Type": "Container",
        "ContainerName": container.spec.name,
        "Image": container.spec.image,
        "ContainerKnownStatus": container.status,
        "CpuReserved": float(container.spec.cpu or 0),
        "MemoryReserved": container.spec.memory or container.spec.memory_reservation or 0,
    }


def _used(cpu: float, memory: int) -> Json:
    return {"CpuUtilized": cpu, "MemoryUtilized": memory}
