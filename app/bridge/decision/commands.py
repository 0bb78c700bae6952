"""What the bridge can do about one pod: a closed union that `app.bridge.apply` alone carries out."""

import msgspec

from app.bridge.status.observed import HookFailure
from app.model.names import TaskArn
from app.model.task import Identity, Launch
from app.model.wire import Json


class RecordAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """Write on the pod that this attempt is begun, before anything is launched.

    One request carries all of it: the annotations, and the tolerations where they change (None: they do not).
    """

    number: int
    annotations: dict[str, str]
    tolerations: tuple[Json, ...] | None = None


class Gather(msgspec.Struct, frozen=True, kw_only=True):
    """Gather what the pod refers to, for its next launch."""


class ReadRecords(msgspec.Struct, frozen=True, kw_only=True):
    """Read what the helper of a task has recorded, and the ends of logs that stand for termination messages.

    Attributes:
        logs: the containers whose log's end is the message.
    """

    arn: TaskArn
    logs: tuple[str, ...] = ()


class LaunchTask(msgspec.Struct, frozen=True, kw_only=True):
    """Call RunTask for the recorded attempt; the same attempt always makes the same call."""

    launch: Launch
    attempt: int


class RecordTask(msgspec.Struct, frozen=True, kw_only=True):
    """Write the task's ARN on the pod, beside its attempt."""

    arn: TaskArn
    attempt: int


class StopTask(msgspec.Struct, frozen=True, kw_only=True):
    """Stop a task of a pod that is there."""

    arn: TaskArn
    reason: str


class StopOrphan(msgspec.Struct, frozen=True, kw_only=True):
    """Stop a task whose pod is gone, after asking Kubernetes again for the pod and for our Lease."""

    arn: TaskArn
    identity: Identity
    reason: str


class SetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Patch the pod's status."""

    status: dict[str, Json]


class RemovePod(msgspec.Struct, frozen=True, kw_only=True):
    """Let the API server forget the pod: the last step of its deletion."""


class RecordEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Tell people, in `kubectl describe pod`."""

    reason: str
    message: str
    warning: bool = False


class TellOfHook(msgspec.Struct, frozen=True, kw_only=True):
    """Tell people of a hook that did not work; `reason` is the Event's."""

    arn: TaskArn
    failure: HookFailure
    reason: str

    @property
    def message(self) -> str:
        """The Event's message: kubelet's, with the cause and the container."""
        name = self.reason.removeprefix("Failed")
        return f"{name} failed: {self.failure.error} (container {self.failure.container})"


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a complete listing of tasks."""


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """Decide again after so many seconds, if nothing happens before."""

    seconds: float


Command = (
    Gather
    | ReadRecords
    | RecordAttempt
    | LaunchTask
    | RecordTask
    | StopTask
    | StopOrphan
    | SetStatus
    | RemovePod
    | RecordEvent
    | TellOfHook
    | Look
    | Later
)
