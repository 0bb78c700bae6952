"""An ECS in memory."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from app.model import names
from app.model.names import TaskArn
from app.model.pod import Pod
from app.model.task import Definition, Identity, Launch, Task, TaskContainer, identity_from
from app.ports.failures import Conflict, NotFound
from app.ports.tasks import Described
from tests.bridge.door import Door
from tests.fakes import VirtualClock

STOPPING: Final = timedelta(seconds=4)
"""From being asked to stop to the end."""


class Run(msgspec.Struct, kw_only=True):
    """One task of the fake ECS; its state follows from the clock.

    Attributes:
        starts, ends: seconds after its creation.
        inits: the init containers; they run one second after the creation, until the others start.
        init_code: how they end; other than 0, nothing else ever starts.
        taken: when AWS took the machine away, if it did.
        health: of every container that runs.
    """

    arn: TaskArn
    token: str
    parameters: str
    identity: Identity
    attempt: int
    containers: tuple[str, ...]
    definition: str
    created: datetime
    starts: float
    ends: float | None
    exit_code: int
    ended_reason: str
    stop_code: str = "EssentialContainerExited"
    asked_to_stop: datetime | None = None
    asked_reason: str = ""
    inits: tuple[str, ...] = ()
    init_code: int = 0
    capacity: str = "on-demand"
    taken: datetime | None = None
    health: str = "UNKNOWN"

    def over_at(self) -> datetime | None:
        told = [each + STOPPING for each in (self.asked_to_stop, self.taken) if each is not None]
        natural = self._natural()
        return min([*told, *([natural] if natural is not None else [])], default=None)

    def is_over(self, now: datetime) -> bool:
        over = self.over_at()
        return over is not None and now >= over

    def started_at(self) -> datetime | None:
        """When the main containers start; None where they never do."""
        started, over = self.created + timedelta(seconds=self.starts), self.over_at()
        return None if self.init_code or (over is not None and over < started) else started

    def has_run(self, now: datetime) -> bool:
        started = self.started_at()
        return started is not None and started <= now

    def task(self, now: datetime) -> Task:
        over, stopped, ran = self.over_at(), self.is_over(now), self.has_run(now)
        status = "STOPPED" if stopped else "RUNNING" if ran else "PENDING"
        told = stopped or self.asked_to_stop is not None or self.taken is not None
        code, reason = self._stop(now)
        return Task(
            arn=self.arn,
            last_status=status,
            desired_status="STOPPED" if told else "RUNNING",
            identity=self.identity,
            attempt=self.attempt,
            definition=self.definition,
            stop_code=code,
            stopped_reason=reason,
            containers=(
                *(self._init(name, now) for name in self.inits),
                *(self._main(name, now) for name in self.containers),
            ),
            ip="10.1.0.7" if ran else "",
            version=1 + ran + told + stopped,
            created_at=self.created,
            started_at=self.started_at() if ran else None,
            stopped_at=over if stopped else None,
        )

    def _natural(self) -> datetime | None:
        return self.created + timedelta(seconds=self.ends) if self.ends is not None else None

    def is_killed(self) -> bool:
        return self.over_at() is not None and self.over_at() != self._natural()

    def _stop(self, now: datetime) -> tuple[str, str]:
        """The stop code, and what ECS says about it."""
        if self.taken is not None and now >= self.taken and self.is_killed():
            return "SpotInterruption", "Your Spot Task was interrupted."
        if not self.is_over(now):
            return "", ""
        if self.is_killed():
            return "UserInitiated", self.asked_reason
        return self.stop_code, self.ended_reason

    def _main(self, name: str, now: datetime) -> TaskContainer:
        stopped, ran = self.is_over(now), self.has_run(now)
        code = 143 if self.is_killed() else self.exit_code
        return TaskContainer(
            name=name,
            last_status="STOPPED" if stopped else "RUNNING" if ran else "PENDING",
            exit_code=code if stopped and ran else None,
            runtime_id=f"{name}-rt" if ran else "",
            health=self.health if ran and not stopped else "UNKNOWN",
        )

    def _init(self, name: str, now: datetime) -> TaskContainer:
        begun = now >= self.created + timedelta(seconds=1)
        done = now >= self.created + timedelta(seconds=self.starts)
        stopped = self.is_over(now)
        code = self.init_code if done else 143
        return TaskContainer(
            name=name,
            last_status="STOPPED" if done or stopped else "RUNNING" if begun else "PENDING",
            exit_code=code if begun and (done or stopped) else None,
            runtime_id=f"{name}-rt" if begun else "",
        )


class FakeEcs:
    """Tasks and Definitions: tokens, life cycle, an hour's memory, and reads that lag behind writes."""

    def __init__(self, door: Door, clock: VirtualClock) -> None:
        self._door = door
        self._clock = clock
        self.runs: dict[TaskArn, Run] = {}
        self.definitions: dict[str, Definition] = {}
        self.lag = 1.0
        self.starts = 3.0
        self.ends: dict[str, tuple[float, int]] = {}
        self.init_codes: dict[str, int] = {}
        self.forgotten: list[Run] = []
        self.ended_reason = "Essential container in task exited"
        self.most_at_once = 0
        self.listed: list[str] = []

    async def run(self, launch: Launch, *, definition_arn: str) -> Task:
        return await self._door.call("run", lambda: self._run(launch, definition_arn))

    async def stop(self, arn: TaskArn, *, reason: str) -> None:
        await self._door.call("stop", lambda: self._stop(arn, reason))

    async def describe(self, arns: Sequence[TaskArn]) -> Described:
        return await self._door.call("describe", lambda: self._describe(arns))

    async def arns(self, desired: Literal["RUNNING", "STOPPED"]) -> tuple[TaskArn, ...]:
        return await self._door.call(f"arns {desired}", lambda: self._arns(desired))

    async def find(self, family: str) -> str:
        return await self._door.call("find", lambda: self._find(family))

    async def register(self, definition: Definition) -> str:
        return await self._door.call("register", lambda: self._register(definition))

    def live(self) -> list[Run]:
        now = self._clock.now()
        return [each for each in self.runs.values() if not each.is_over(now)]

    def of(self, pod: Pod) -> list[Run]:
        return [each for each in self.runs.values() if each.identity.uid == pod.uid]

    def most_of_one_pod(self) -> int:
        """How many tasks the luckiest pod ever got."""
        return max(Counter(each.identity.uid for each in self.runs.values()).values(), default=0)

    def end(self, run: Run, code: int) -> None:
        """The containers end by themselves, now."""
        run.ends, run.exit_code = (self._clock.now() - run.created).total_seconds(), code

    def stop_by_user(self, run: Run) -> None:
        """`aws ecs stop-task`."""
        self._stop(run.arn, "maintenance")

    def take(self, run: Run) -> None:
        """AWS wants its Spot machine back."""
        run.taken = run.taken or self._clock.now()

    def vanish(self, run: Run) -> None:
        """ECS loses every trace of a task."""
        self.forgotten.append(self.runs.pop(run.arn))

    def launch_behind_our_back(self, arn: str, identity: Identity, token: str = "") -> Run:
        run = Run(
            arn=TaskArn(arn), token=token, parameters="", identity=identity, attempt=1, containers=("main",),
            definition="", created=self._clock.now(), starts=0, ends=None, exit_code=0, ended_reason="",
        )  # fmt: skip
        self.runs[run.arn] = run
        return run

    def _run(self, launch: Launch, definition_arn: str) -> Task:
        compared = [launch.overrides, launch.started_by, definition_arn, launch.execute_command]
        parameters = json.dumps(compared, sort_keys=True)
        for known in self.runs.values():
            if known.token == launch.client_token:
                if known.parameters != parameters:
                    raise Conflict("token reused", existing=(known.arn,))
                return known.task(self._clock.now())
        overrides = launch.overrides["containerOverrides"]
        values = {each["name"]: each["value"] for box in overrides for each in box["environment"]}
        identity = identity_from(values[names.IDENTITY_VARIABLE])
        assert identity is not None
        ends, code = self.ends.get(identity.name, (None, 0))
        digest = hashlib.sha256(launch.client_token.encode()).hexdigest()[:12]
        inits = _inits(launch)
        run = Run(
            arn=TaskArn(f"arn:aws:ecs:us-east-1:123456789012:task/spillway/{digest}"),
            token=launch.client_token,
            parameters=parameters,
            identity=identity,
            attempt=int(values[names.ATTEMPT_VARIABLE]),
            containers=tuple(name for name in _names(launch) if name not in inits),
            inits=inits,
            init_code=self.init_codes.get(identity.name, 0),
            capacity=launch.capacity,
            definition=definition_arn,
            created=self._clock.now(),
            starts=self.starts,
            ends=ends,
            exit_code=code,
            ended_reason=self.ended_reason,
        )
        self.runs[run.arn] = run
        together = sum(1 for each in self.live() if each.identity.uid == identity.uid)
        self.most_at_once = max(self.most_at_once, together)
        return run.task(self._clock.now())

    def _stop(self, arn: TaskArn, reason: str) -> None:
        run = self.runs.get(arn)
        if run is None:
            raise NotFound(f"no task {arn}")
        if run.asked_to_stop is None:
            run.asked_to_stop, run.asked_reason = self._clock.now(), reason

    def _describe(self, arns: Sequence[TaskArn]) -> Described:
        now = self._clock.now()
        known = [self.runs[arn] for arn in arns if arn in self.runs and self._is_visible(self.runs[arn])]
        seen = {each.arn for each in known}
        return Described(
            tuple(each.task(now) for each in known), tuple(arn for arn in arns if arn not in seen)
        )

    def _arns(self, desired: str) -> tuple[TaskArn, ...]:
        now = self._clock.now()
        return tuple(
            each.arn
            for each in self.runs.values()
            if self._is_visible(each) and each.task(now).desired_status == desired
        )

    def _is_visible(self, run: Run) -> bool:
        now = self._clock.now()
        over = run.over_at()
        forgotten = over is not None and now - over > timedelta(hours=1)
        return not forgotten and now - run.created >= timedelta(seconds=self.lag)

    def _find(self, family: str) -> str:
        if family not in self.definitions:
            raise NotFound(family)
        return f"arn:{family}:1"

    def _register(self, definition: Definition) -> str:
        self.definitions[definition.family] = definition
        return f"arn:{definition.family}:1"


def _names(launch: Launch) -> tuple[str, ...]:
    return tuple(each["name"] for each in launch.definition.body["containerDefinitions"])


def _inits(launch: Launch) -> tuple[str, ...]:
    """The containers that others wait for to succeed."""
    definitions: list[dict[str, Any]] = launch.definition.body["containerDefinitions"]
    waits = [wait for each in definitions for wait in each.get("dependsOn", ())]
    return tuple({wait["containerName"]: None for wait in waits if wait["condition"] == "SUCCESS"})
