"""What is known of one pod at one moment, and the stage of its life that this makes."""

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from app.bridge.config import BridgeConfig
from app.bridge.decision import adoption, permission
from app.bridge.decision.record import recorded_arn, recorded_attempt, recorded_time
from app.bridge.status.observed import Health, HookFailure, Told
from app.bridge.translation.material import Material, Unready
from app.model.names import PodUid, TaskArn
from app.model.pod import Pod, has_begun, is_of_daemon_set, is_terminal
from app.model.reason import Reason
from app.model.task import Identity, Task
from app.model.times import later

DAEMON_SET: Final = "DaemonSetOnFargate"
"""The reason in the status of a DaemonSet's pod, which is never started."""

REMEMBERED: Final = timedelta(minutes=45)
"""As long as this after an attempt was begun, repeating its RunTask cannot run anything twice: ECS keeps a
client token, and shows a stopped task, for at least an hour after the task's end."""

FORGETS: Final = timedelta(minutes=60)
"""Younger than this, an attempt whose task a complete listing does not show has no task."""

CONSISTENT: Final = timedelta(minutes=5)
"""ECS's reads may lag behind its writes by this much, so a task that is "missing" is not lost before."""

SETTLED: Final = timedelta(seconds=20)
"""A complete listing begun so long after an attempt would show its task, as a rule; an exception is an
orphan of a later listing."""

MATERIAL_LASTS: Final = timedelta(minutes=1)
"""For so long a launch goes by what was gathered; a change of a ConfigMap after that is seen."""

UNREADY_LASTS: Final = timedelta(seconds=10)
"""After so long it is looked again for what was missing."""

REFUSAL_LASTS: Final = timedelta(minutes=5)
"""After so long it is looked again whether what kept the pod from ever being launched has changed."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """ECS's definite no to an attempt. `row` counts them without a task between."""

    attempt: int
    kind: Literal["no-capacity", "refused"]
    message: str
    at: datetime
    row: int = 1


Gathered = Material | Unready | tuple[Reason, ...]
"""What a look for the pod's material came to: all of it, something is missing yet, or it can never be."""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What this process remembers of a pod; all of it may be lost without harm.

    Attributes:
        outcome: ECS's last definite no.
        stops: when ECS accepted to stop which task.
        gathered: the material for the next launch.
        gathered_at: when.
        hooks: the failed hooks that people were told of, by task.
    """

    outcome: Outcome | None = None
    stops: dict[TaskArn, datetime] = {}
    gathered: Gathered | None = None
    gathered_at: datetime | None = None
    hooks: frozenset[tuple[TaskArn, HookFailure]] = frozenset()


class PodKey(msgspec.Struct, frozen=True, order=True):
    """Which pod: the name to read it by, and the uid that tells it from the next one of that name."""

    namespace: str
    name: str
    uid: PodUid

    @property
    def path(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a decision about one pod rests on.

    Attributes:
        health: what the probes say, by container.
        told: what the helper of each task has recorded.
        witnessed: whether this process has seen the pod itself.
        drained_at: when the queue of task events was last seen empty; None before, and without one.
        listens: whether there is such a queue.
        unclaimed: in how many complete listings in a row a task was seen while its pod was not there.
        pod: None where it is gone.
        namespace: the labels of the pod's namespace; None where there is none.
        tasks: every known task of the pod, of all attempts.
        missing: ARNs that ECS says it does not know, and since when.
        strange: ARNs of tasks that are known to be another's; whoever wrote them on the pod was not us.
        looked_at: when the last complete listing of tasks was begun; None before the first.
    """

    key: PodKey
    pod: Pod | None
    namespace: Mapping[str, str] | None
    tasks: tuple[Task, ...]
    missing: dict[TaskArn, datetime]
    looked_at: datetime | None
    memory: Memory
    config: BridgeConfig
    now: datetime
    strange: frozenset[TaskArn] = frozenset()
    health: Mapping[str, Health] = {}
    told: Mapping[TaskArn, Told] = {}
    witnessed: bool = False
    listens: bool = False
    drained_at: datetime | None = None
    unclaimed: Mapping[TaskArn, int] = {}

    @property
    def identity(self) -> Identity:
        """What the pod's tasks carry."""
        return Identity(
            cluster=self.config.cluster,
            node=self.config.node.name,
            namespace=self.key.namespace,
            name=self.key.name,
            uid=self.key.uid,
        )

    @property
    def material(self) -> Gathered | None:
        """What was gathered for the next launch a moment ago; None where nothing was, or long ago."""
        found, at = self.memory.gathered, self.memory.gathered_at
        if found is None or at is None:
            return None
        return found if self.now - at < _lasting(found) else None

    @property
    def live(self) -> tuple[Task, ...]:
        """The pod's tasks that are not over."""
        return tuple(task for task in self.tasks if not task.is_stopped)


class Stage(enum.Enum):
    """Where a pod stands. Each has one handler in `app.bridge.decision.reconcile`."""

    GONE = "gone"
    DELETING = "deleting"
    TERMINAL = "terminal"
    DAEMON = "daemon"
    FRESH = "fresh"
    FORBIDDEN = "forbidden"
    RECORDED = "recorded"
    REFUSED = "refused"
    UNSEEN = "unseen"
    LOST = "lost"
    CARRIED = "carried"
    ENDED = "ended"
    EXPIRED = "expired"


def stage_of(facts: Facts) -> Stage:
    """The stage: first what Kubernetes says of the pod, then what ECS says of its newest attempt."""
    pod = facts.pod
    if pod is None:
        return Stage.GONE
    if pod.metadata.deletion_timestamp is not None:
        return Stage.DELETING
    if is_terminal(pod):
        return Stage.TERMINAL
    if _is_daemon(facts, pod):
        return Stage.DAEMON
    if is_expired(pod, now=facts.now):
        return Stage.EXPIRED
    return _stage_of_attempt(facts, pod)


def _is_daemon(facts: Facts, pod: Pod) -> bool:
    """Whether it came as a DaemonSet's pod; an owner that was put on or taken off since then says nothing."""
    came_as_one = is_of_daemon_set(pod) or pod.status.reason == DAEMON_SET
    return came_as_one and not facts.tasks and not has_begun(pod)


def _stage_of_attempt(facts: Facts, pod: Pod) -> Stage:
    attempt = attempt_of(facts)
    if attempt == 0:
        return _permitted(facts, pod, Stage.FRESH)
    task = task_of(facts)
    if task is not None:
        return Stage.ENDED if task.is_stopped else Stage.CARRIED
    if outcome_of(facts) is not None:
        return Stage.REFUSED
    if named_arn(facts, pod) is not None:
        return Stage.LOST if is_lost(facts, pod) else Stage.UNSEEN
    if facts.now - attempted_at(facts, pod) >= FORGETS:
        return Stage.LOST
    # Who can patch the pod can write an attempt on it; a task of the pod only we can make.
    return Stage.RECORDED if facts.tasks else _permitted(facts, pod, Stage.RECORDED)


def _permitted(facts: Facts, pod: Pod, stage: Stage) -> Stage:
    return Stage.FORBIDDEN if permission.is_refused(pod, labels=facts.namespace) else stage


def _lasting(found: Gathered) -> timedelta:
    match found:
        case Material():
            return MATERIAL_LASTS
        case Unready():
            return UNREADY_LASTS
        case _:
            return REFUSAL_LASTS


def deadline_of(pod: Pod) -> datetime | None:
    """When the pod has been active for too long; None where it may for ever, or has not begun.

    https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#detailed-behavior
    """
    seconds, since = pod.spec.active_deadline_seconds, pod.status.start_time
    return later(since, timedelta(seconds=seconds)) if seconds is not None and since is not None else None


def is_expired(pod: Pod, *, now: datetime) -> bool:
    """Whether the pod's activeDeadlineSeconds are over."""
    deadline = deadline_of(pod)
    return deadline is not None and now >= deadline


def attempt_of(facts: Facts) -> int:
    """The number of the newest attempt that was begun; 0 before the first.

    A task's own number counts too: the pod may come from a cache that has not seen our last write. Where the
    pod names a known task, only the tasks count: a newer attempt would have taken that name away, so another
    number beside it is not ours.
    """
    carried = max((task.attempt for task in facts.tasks), default=0)
    if facts.pod is None or recorded_arn(facts.pod) in {task.arn for task in facts.tasks}:
        return carried
    return max(recorded_attempt(facts.pod), carried)


def task_of(facts: Facts) -> Task | None:
    """The newest attempt's task, if it is known."""
    recorded = recorded_arn(facts.pod) if facts.pod is not None else None
    task = adoption.current(facts.tasks, recorded=recorded)
    return task if task is not None and task.attempt == attempt_of(facts) else None


def outcome_of(facts: Facts) -> Outcome | None:
    """ECS's definite no to the newest attempt, if it said one to this process."""
    outcome = facts.memory.outcome
    return outcome if outcome is not None and outcome.attempt == attempt_of(facts) else None


def named_arn(facts: Facts, pod: Pod) -> TaskArn | None:
    """The task in the pod's annotation, unless it is another's: repeating RunTask then tells the true one."""
    arn = recorded_arn(pod)
    return None if arn in facts.strange else arn


def attempted_at(facts: Facts, pod: Pod) -> datetime:
    """When the newest attempt was begun; the pod's creation where nobody wrote it down.

    A moment far in the future is nobody's word either: a deleted pod would wait for it.
    """
    begun = recorded_time(pod)
    created = pod.metadata.creation_timestamp or facts.now
    return created if begun is None or begun > facts.now + CONSISTENT else begun


def is_lost(facts: Facts, pod: Pod) -> bool:
    """Whether ECS has forgotten the recorded task, and not merely not yet learned of it.

    What an event may still tell of it is heard first.
    """
    arn = recorded_arn(pod)
    since = facts.missing.get(arn) if arn is not None else None
    if since is None or facts.now - since < CONSISTENT:
        return False
    drained = facts.drained_at is not None and facts.drained_at > since
    return drained or not facts.listens or facts.now - since >= REMEMBERED


def is_settled(facts: Facts, pod: Pod) -> bool:
    """Whether it is known what became of the newest attempt: a task, a definite no, a loss, or nothing."""
    if attempt_of(facts) == 0 or task_of(facts) is not None or outcome_of(facts) is not None:
        return True
    if named_arn(facts, pod) is not None:
        return is_lost(facts, pod)
    return facts.looked_at is not None and facts.looked_at >= attempted_at(facts, pod) + SETTLED
