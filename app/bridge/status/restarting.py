"""Whether a container that ended is run again: its own restartPolicy, or else its pod's.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#individual-container-restart-policy-and-rules
"""

from app.model.container import Container


def is_restarted(container: Container, *, policy: str, code: int) -> bool:
    """Whether it is run again after this exit code.

    An API server lets a container leave its `terminated` state only where this is so.

    Args:
        container: of the pod's spec; an init container among others.
        policy: the pod's restartPolicy.
        code: how it ended.
    """
    match container.restart_policy or policy:
        case "Never":
            return False
        case "OnFailure":
            return code != 0
        case _:
            return True
