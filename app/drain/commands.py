"""What a drain may do about pods and tasks: a closed union."""

import msgspec

from app.model.names import TaskArn
from app.model.node import Node
from app.model.pod import Pod


class Close(msgspec.Struct, frozen=True):
    """Close the node's gate and cordon it."""

    node: Node


class Evict(msgspec.Struct, frozen=True):
    """Ask the pod to leave; budgets may object."""

    pod: Pod


class Delete(msgspec.Struct, frozen=True):
    """Delete the pod; `at_once` without waiting for its node."""

    pod: Pod
    at_once: bool = False


class Stop(msgspec.Struct, frozen=True):
    """Stop a task that no bridge stops."""

    arn: TaskArn
    reason: str


Command = Close | Evict | Delete | Stop
