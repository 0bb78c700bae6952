"""What a Deployment reports, as `kubectl rollout status` and `kubectl wait` read it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from app.local.cluster.controllers.objects import (
    Deployment,
    DeploymentCondition,
    DeploymentStatus,
    ReplicaSet,
)
from app.local.cluster.controllers.rollout import limits

_DONE = "NewReplicaSetAvailable"
_LATE = "ProgressDeadlineExceeded"


def status(
    deployment: Deployment, new: ReplicaSet | None, owned: Sequence[ReplicaSet], *, now: datetime
) -> DeploymentStatus:
    """The sums over all ReplicaSets, and the conditions `Available` and `Progressing`."""
    available = sum(each.status.available_replicas for each in owned)
    bare = DeploymentStatus(
        replicas=sum(each.status.replicas for each in owned),
        updated_replicas=new.status.replicas if new else 0,
        ready_replicas=sum(each.status.ready_replicas for each in owned),
        available_replicas=available,
        unavailable_replicas=max(0, sum(each.spec.replicas for each in owned) - available),
        observed_generation=deployment.metadata.generation,
    )
    conditions = [_available(deployment, bare), *_progressing(deployment, bare, new, now=now)]
    known = {each.type: each for each in deployment.status.conditions}
    return msgspec.structs.replace(
        bare, conditions=tuple(_dated(each, known.get(each.type), now=now) for each in conditions)
    )


def is_complete(deployment: Deployment, found: DeploymentStatus) -> bool:
    """Whether every wanted pod is new and available, and no other is left."""
    wanted = deployment.spec.replicas
    return found.updated_replicas == found.replicas == found.available_replicas == wanted


def deadline(deployment: Deployment) -> datetime | None:
    """When the rollout that goes on now counts as stuck; None where none goes on."""
    known = _condition(deployment, "Progressing")
    if known is None or known.status != "True" or known.reason == _DONE or known.last_update_time is None:
        return None
    return known.last_update_time + timedelta(seconds=deployment.spec.progress_deadline_seconds)


def _available(deployment: Deployment, found: DeploymentStatus) -> DeploymentCondition:
    least = deployment.spec.replicas - limits(deployment).unavailable
    if found.available_replicas >= least:
        return DeploymentCondition(
            type="Available",
            status="True",
            reason="MinimumReplicasAvailable",
            message="Deployment has minimum availability.",
        )
    return DeploymentCondition(
        type="Available",
        status="False",
        reason="MinimumReplicasUnavailable",
        message="Deployment does not have minimum availability.",
    )


def _progressing(
    deployment: Deployment, found: DeploymentStatus, new: ReplicaSet | None, *, now: datetime
) -> list[DeploymentCondition]:
    known = _condition(deployment, "Progressing")
    settled = known is not None and known.reason == _DONE and found.replicas == found.updated_replicas
    if settled or new is None:
        return [known] if known is not None else []
    name = f'ReplicaSet "{new.metadata.name}"'
    if is_complete(deployment, found):
        return [_progress("True", _DONE, f"{name} has successfully progressed.")]
    if known is None or _moved(deployment.status, found):
        return [_progress("True", "ReplicaSetUpdated", f"{name} is progressing.")]
    limit = deadline(deployment)
    if limit is not None and now >= limit:
        return [_progress("False", _LATE, f"{name} has timed out progressing.")]
    return [known]


def _moved(before: DeploymentStatus, after: DeploymentStatus) -> bool:
    return (
        after.updated_replicas > before.updated_replicas
        or after.ready_replicas > before.ready_replicas
        or after.available_replicas > before.available_replicas
        or after.replicas - after.updated_replicas < before.replicas - before.updated_replicas
    )


def _progress(value: str, reason: str, message: str) -> DeploymentCondition:
    return DeploymentCondition(type="Progressing", status=value, reason=reason, message=message)


def _condition(deployment: Deployment, kind: str) -> DeploymentCondition | None:
    return next((each for each in deployment.status.conditions if each.type == kind), None)


def _dated(
    condition: DeploymentCondition, known: DeploymentCondition | None, *, now: datetime
) -> DeploymentCondition:
    """With its times: both stand still while nothing but they would change."""
    if condition is known:
        return condition
    if known is None or known.status != condition.status:
        return msgspec.structs.replace(condition, last_transition_time=now, last_update_time=now)
    same = known.reason == condition.reason and known.message == condition.message
    going_on = condition.type == "Progressing"
    return msgspec.structs.replace(
        condition,
        last_transition_time=known.last_transition_time,
        last_update_time=known.last_update_time if same and not going_on else now,
    )
