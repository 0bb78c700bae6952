"""Scripts of what can happen around a bridge, played on a World, and what must be true when it is quiet."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from structlog.testing import capture_logs

from app.model.names import TASK_ARN
from app.model.pod import Pod, condition, is_terminal
from app.ports.failures import NoCapacity, PortFailure, Refused, Throttled, Unavailable
from tests.bridge.fake_ecs import Run
from tests.bridge.fakes import World
from tests.builders import VIRTUAL, a_container, a_pod, owned_by

KINDS: Final[dict[str, dict[str, Any]]] = {
    "service": {},
    "job": {"restartPolicy": "Never"},
    "retried": {"restartPolicy": "OnFailure"},
    "prepared": {"restartPolicy": "OnFailure", "initContainers": [a_container("first")]},
    "spot": {
        "restartPolicy": "Never",
        "annotations": {"spillway.dev/capacity": "spot-first"},
        "metadata": owned_by("Job"),
    },
}
POD_EVENTS: Final = ("create", "delete", "force-delete", "label")
TASK_EVENTS: Final = ("exit 0", "exit 3", "spot", "vanish", "user-stop")
FAULTS: Final = (
    "lost answer",
    "throttled",
    "no capacity",
    "refused",
    "describe fails",
    "listing fails",
    "cluster away",
    "credentials expired",
    "killed",
)
QUIET: Final = 2400
"""Seconds after which everything has come to rest: back-offs, what ECS may still show, and listings."""


class Step(msgspec.Struct, frozen=True):
    """Something that happens to a pod (by its kind); `number` is for what needs one, `pause` comes after."""

    what: str
    kind: str
    number: int
    pause: int


class Play:
    """One World under a script."""

    def __init__(self, *, listens: bool) -> None:
        self.world = World(listens=listens)
        self.world.ecs.lag = 3.0
        self.pods: list[Pod] = []
        self.ends: dict[str, str] = {}
        self._serial = Counter[str]()

    async def run(self, script: list[Step]) -> None:
        """The script, then quiet."""
        self.world.start()
        for step in script:
            self._do(step)
            await self.world.advance(step.pause)
        self.world.door.failures.clear()
        self.world.door.lost.clear()
        await self.world.advance(30)
        await self.world.advance(QUIET, step=10)
        await self.world.stop()

    def wrongs(self) -> list[str]:
        """What is not as it has to be; empty where all is well."""
        world = self.world
        launched = Counter((run.identity.uid, run.attempt) for run in self._runs())
        return [
            *world.pods.complaints,
            *(f"{key} was removed too early" for key in world.left_behind),
            *(f"attempt {attempt} of {uid} ran {n} times" for (uid, attempt), n in launched.items() if n > 1),
            *(
                f"{world.ecs.most_at_once} tasks of one pod at once"
                for _ in range(world.ecs.most_at_once - 1)
            ),
            *(wrong for pod in self.pods for wrong in self._wrongs_of(pod)),
        ]

    def _runs(self) -> list[Run]:
        return [*self.world.ecs.runs.values(), *self.world.ecs.forgotten]

    def _wrongs_of(self, pod: Pod) -> Iterator[str]:
        live = [run for run in self.world.ecs.live() if run.identity.uid == pod.uid]
        now = self.world.pods.pods.get(pod.key)
        over = now is None or now.uid != pod.uid or is_terminal(now)
        if len(live) != (0 if over else 1):
            yield f"{pod.key} has {len(live)} live tasks and is {'over' if over else 'alive'}"
        if now is None or now.uid != pod.uid:
            return
        if now.metadata.deletion_timestamp is not None:
            yield f"{pod.key} is deleted and still there"
        runs = sorted(self._of(pod), key=lambda run: run.attempt)
        yield from _untruths(now, runs, lost=bool(runs) and runs[-1] in self.world.ecs.forgotten)

    def _of(self, pod: Pod) -> list[Run]:
        return [run for run in self._runs() if run.identity.uid == pod.uid]

    def _do(self, step: Step) -> None:
        if step.what in POD_EVENTS:
            self._pod_event(step)
        elif step.what in TASK_EVENTS:
            self._task_event(step)
        else:
            self._fault(step)

    def _pod_event(self, step: Step) -> None:
        there = self._there(step.kind)
        match step.what:
            case "create" if there is None:
                pod = a_pod(step.kind, node=VIRTUAL, **KINDS[step.kind])
                self.pods.append(pod)
                self.world.pods.bind(pod)
            case "delete" if there is not None:
                self.world.pods.delete(there)
            case "force-delete" if there is not None:
                self.world.pods.force_delete(there)
            case "label" if there is not None:
                self.world.pods.label(there, f"v{step.number}")
            case _:
                return

    def _there(self, kind: str) -> Pod | None:
        return self.world.pods.pods.get(f"shop/{kind}")

    def _task_event(self, step: Step) -> None:
        pod = self._there(step.kind)
        live = [run for run in self.world.ecs.live() if pod is not None and run.identity.uid == pod.uid]
        if pod is None or not live:
            return
        ecs, run = self.world.ecs, live[0]
        match step.what:
            case "exit 0" | "exit 3" if run.has_run(self.world.clock.now()):
                ecs.end(run, int(step.what[-1]))
            case "spot" if run.capacity == "spot":
                ecs.take(run)
            case "user-stop":
                ecs.stop_by_user(run)
            case "vanish" if pod.metadata.annotations.get(TASK_ARN) == run.arn:
                ecs.vanish(run)
            case _:
                return

    def _fault(self, step: Step) -> None:
        door, times = self.world.door, step.number % 4 + 1
        failing: dict[str, tuple[tuple[str, ...], Callable[[], PortFailure]]] = {
            "throttled": (("run", "stop", "describe"), lambda: Throttled("Rate exceeded")),
            "no capacity": (("run",), lambda: NoCapacity("Capacity is unavailable at this time")),
            "refused": (("run",), lambda: Refused("the role cannot be passed")),
            "describe fails": (("describe",), lambda: Unavailable("503")),
            "listing fails": (("arns STOPPED",), lambda: Unavailable("page 2 failed")),
            "cluster away": (CLUSTER, lambda: Unavailable("connection refused")),
            "credentials expired": (AWS, lambda: Unavailable("ExpiredTokenException")),
        }
        if step.what == "killed":
            door.at, door.moment = len(door.calls) + step.number, "after" if step.number % 2 else "before"
        elif step.what == "lost answer":
            name = ("run", "stop", "amend", "set status", "remove", "register")[step.number % 6]
            door.lost[name] = door.lost.get(name, 0) + 1
        else:
            names, failure = failing[step.what]
            for name in names:
                door.failures.setdefault(name, []).extend(failure() for _ in range(times))


CLUSTER: Final = ("get pod", "amend", "set status", "remove", "read lease", "renew lease", "event")
AWS: Final = ("run", "stop", "describe", "arns RUNNING", "arns STOPPED", "find", "register")


def _untruths(pod: Pod, runs: list[Run], *, lost: bool) -> Iterator[str]:
    """What the pod's status says and its tasks deny."""
    if not runs:
        yield f"{pod.key} never ran"
        return
    last = runs[-1]
    said = (pod.status.phase, pod.status.reason)
    true = ("Failed", "TaskLost") if lost else _end_of(last)
    if said != true:
        yield f"{pod.key} says {said}, not {true}"
    if true[1] == "SpotInterruption" and condition(pod, "DisruptionTarget") is None:
        yield f"{pod.key} does not say that it was disrupted"
    if true[0] == "Running":
        yield from _untruths_of_life(pod, last, runs)
    elif _ran(last) and not lost:
        ends = [each["state"].get("terminated", {}).get("exitCode") for each in pod.status.container_statuses]
        code = 143 if last.is_killed() else last.exit_code
        if ends != [code]:
            yield f"{pod.key} says {ends}, not {code}"


def _untruths_of_life(pod: Pod, last: Run, runs: list[Run]) -> Iterator[str]:
    ready = condition(pod, "Ready")
    if ready is None or ready.status != "True":
        yield f"{pod.key} is not Ready"
    for each in pod.status.container_statuses:
        restarts = sum(_ran(run) for run in runs) - 1
        if "running" not in each["state"] or last.arn.rsplit("/", 1)[-1] not in each["containerID"]:
            yield f"{pod.key} says {each['state']} of {each['containerID']}"
        if each["restartCount"] != restarts:
            yield f"{pod.key} counts {each['restartCount']} restarts, not {restarts}"


def _ran(run: Run) -> bool:
    return run.started_at() is not None


def _end_of(last: Run) -> tuple[str, str]:
    """Phase and reason."""
    if last.over_at() is None:
        return "Running", ""
    if last.is_killed():
        return "Failed", "SpotInterruption" if last.taken is not None else "TaskStopped"
    return "Succeeded" if last.exit_code == 0 else "Failed", ""


async def played(script: list[Step], *, listens: bool) -> list[str]:
    """What went wrong."""
    play = Play(listens=listens)
    await play.run(script)
    return play.wrongs()


def wrongs_of(script: list[Step], *, listens: bool = False) -> list[str]:
    """What went wrong, in an event loop of its own."""
    with capture_logs():
        return asyncio.run(played(script, listens=listens))
