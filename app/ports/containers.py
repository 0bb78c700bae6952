"""The containers of a node that are running now, for what people do inside them; the bridge knows them."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from app.model.names import TaskArn
from app.model.pod import Pod


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A container that runs, as ECS addresses it.

    Attributes:
        task: the task's ARN.
        container: the container's name in the task.
        runtime_id: tells one start of the container from another.
        helper: whether the in-task helper stands at `app.model.names.HELPER_PATH` inside it.
    """

    task: TaskArn
    container: str
    runtime_id: str = ""
    helper: bool = False


class Containers(Protocol):
    """Finds a pod's containers; all of it from memory.

    All raise NotFound, in the kubelet's words, for a pod or container that is not on this node.
    """

    def running(self, namespace: str, pod: str, container: str) -> Running:
        """Where to open a session. Raises Refused where there can be none: it says why, and the mend."""
        ...

    def over(self, namespace: str, pod: str, where: Running) -> str:
        """Why nothing runs there any more, as far as is known; empty while something does."""
        ...

    def address(self, namespace: str, pod: str) -> str:
        """The address of the pod's task. Raises Refused where it has none (yet, or any more)."""
        ...

    def moved(self, namespace: str, pod: str, address: str) -> str:
        """Why the pod is not at its address any more, as far as is known; empty while it is."""
        ...

    def pods(self) -> Sequence[Pod]:
        """The node's pods, as the API server has them."""
        ...
