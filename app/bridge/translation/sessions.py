"""Whether people can open sessions in the task (`kubectl exec`): ECS Exec, which only a launch can ask for.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
"""

from collections.abc import Iterable, Sequence

from app.bridge.config import TaskSettings
from app.bridge.translation.containers.parts import Part
from app.model.names import KUBE2IAM_ROLE
from app.model.reason import Reason
from app.model.setting import named


def are_enabled(*, role: str, settings: TaskSettings) -> bool:
    """Whether the launch asks for them. Without a task role ECS refuses such a launch, whatever the setting.

    Args:
        role: the pod's own role; empty where the setting's holds.
        settings: the bridge's.
    """
    return settings.exec != "off" and bool(role or settings.task_role_arn)


def caveats(parts: Sequence[Part], *, role: str, settings: TaskSettings) -> Iterable[Reason]:
    """Where they cannot be had although the operator asked for them by name."""
    if settings.exec != "on":
        return
    if not are_enabled(role=role, settings=settings):
        message = (
            "kubectl exec cannot enter: ECS's agent needs a task role that allows ssmmessages:*; "
            f"name one in the annotation {KUBE2IAM_ROLE}, or let the operator set "
            f"{named('bridge', 'task_role')}"
        )
        yield Reason("ExecWithoutRole", message, "spec")
        return
    for each in parts:
        if each.rights.read_only:
            message = (
                f"kubectl exec cannot enter container {each.name}: ECS's agent writes into the container's "
                "root file system, which is read-only"
            )
            yield Reason("ExecReadOnlyRoot", message, "spec.containers")
