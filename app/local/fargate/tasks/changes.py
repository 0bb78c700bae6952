"""A task and its containers as the journal notes them."""

from app.local.fargate.journal import Change, ContainerState
from app.local.fargate.tasks.record import ContainerRecord, TaskRecord


def change_of(task: TaskRecord) -> Change:
    """The task's present version."""
    return Change(
        task=task.arn,
        version=task.version,
        status=task.status,
        desired=task.desired,
        pod=task.identity,
        attempt=task.attempt,
        started_by=task.params.get("startedBy", ""),
        definition=task.definition.short,
        capacity=task.capacity,
        stop_code=task.stop_code,
        reason=task.stopped_reason,
    )


def container_state_of(task: TaskRecord, container: ContainerRecord) -> ContainerState:
    """The container's present state; of its starts, the first is no restart."""
    return ContainerState(
        task=task.arn,
        container=container.spec.name,
        status=container.status,
        started=container.started is not None,
        exit_code=container.exit_code,
        reason=container.reason,
        health=container.health,
        restarts=max(container.run - 1, 0),
        essential=container.spec.essential,
    )
