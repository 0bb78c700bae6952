"""An ECS in memory."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from app.model import names
from app.model.names import TaskArn
from app.model.pod import Pod
from app.model.task import Definition, Identity, Launch, Task, TaskContainer, identity_from
from app.ports.failures import Conflict, NotFound
from app.ports.tasks import Described
from tests.bridge.door import Door
from tests.fakes import VirtualClock


class Run(msgspec.Struct, kw_only=True):
    """One task of the fake ECS; its state follows from the clock."""

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

    def over_at(self) -> datetime | None:
        natural = self.created + timedelta(seconds=self.ends) if self.ends is not None else None
        asked = self.asked_to_stop + timedelta(seconds=4) if self.asked_to_stop is not None else None
        known = [moment for moment in (natural, asked) if moment is not None]
        return min(known) if known else None

    def is_over(self, now: datetime) -> bool:
        over = self.over_at()
        return over is not None and now >= over

    def task(self, now: datetime) -> Task:
        over = self.over_at()
        started = self.created + timedelta(seconds=self.starts)
        stopped = over is not None and now >= over
        ran = started <= (over if stopped and over is not None else now)
        status = "STOPPED" if stopped else "RUNNING" if ran else "PENDING"
        killed = stopped and self.asked_to_stop is not None and over != self._natural()
        code = (143 if killed else self.exit_code) if stopped and ran else None
        return Task(
            arn=self.arn,
            last_status=status,
            desired_status="STOPPED" if stopped or self.asked_to_stop else "RUNNING",
            identity=self.identity,
            attempt=self.attempt,
            definition=self.definition,
            stop_code=("UserInitiated" if killed else self.stop_code) if stopped else "",
            stopped_reason=self.ended_reason if stopped else "",
            containers=tuple(
                TaskContainer(
                    name=each, last_status=status, exit_code=code, runtime_id=f"{each}-rt" if ran else ""
                )
                for each in self.containers
            ),
            ip="10.1.0.7" if ran else "",
            created_at=self.created,
            started_at=started if ran else None,
            stopped_at=over if stopped else None,
        )

    def _natural(self) -> datetime | None:
        return self.created + timedelta(seconds=self.ends) if self.ends is not None else None


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
        self.ended_reason = "Essential container in task exited"
        self.most_at_once = 0
        self.listed: list[str] = []

    async def run(self, launch: Launch, *, definition_arn: str) -> Task:
        return await self._door.call("run", lambda: self._run(launch, definition_arn))

    async def stop(self, arn: TaskArn, *, reason: str) -> None:
        await self._door.call("stop", lambda: self._stop(arn))

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

    def launch_behind_our_back(self, arn: str, identity: Identity, token: str = "") -> Run:
        run = Run(
            arn=TaskArn(arn), token=token, parameters="", identity=identity, attempt=1, containers=("main",),
            definition="", created=self._clock.now(), starts=0, ends=None, exit_code=0, ended_reason="",
        )  # fmt: skip
        self.runs[run.arn] = run
        return run

    def _run(self, launch: Launch, definition_arn: str) -> Task:
        parameters = json.dumps([launch.overrides, launch.started_by, definition_arn], sort_keys=True)
        for known in self.runs.values():
            if known.token == launch.client_token:
                if known.parameters != parameters:
                    raise Conflict("token reused", existing=(known.arn,))
                return known.task(self._clock.now())
        overrides = launch.overrides["containerOverrides"]
        values = {each["name"]: each["value"] for each in overrides[0]["environment"]}
        identity = identity_from(values[names.IDENTITY_VARIABLE])
        assert identity is not None
        ends, code = self.ends.get(identity.name, (None, 0))
        digest = hashlib.sha256(launch.client_token.encode()).hexdigest()[:12]
        run = Run(
            arn=TaskArn(f"arn:aws:ecs:us-east-1:123456789012:task/spillway/{digest}"),
            token=launch.client_token,
            parameters=parameters,
            identity=identity,
            attempt=int(values[names.ATTEMPT_VARIABLE]),
            containers=tuple(each["name"] for each in overrides),
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

    def _stop(self, arn: TaskArn) -> None:
        run = self.runs.get(arn)
        if run is None:
            raise NotFound(f"no task {arn}")
        run.asked_to_stop = run.asked_to_stop or self._clock.now()

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
