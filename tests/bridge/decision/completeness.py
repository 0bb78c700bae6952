"""Every state that ECS can show of a pod's task, and what a pod's end has to be: a table of its own.

Written from the mapping in AWS's and Kubernetes' documentation, not from the code under test.
"""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec

from app.bridge.decision.commands import LaunchTask, RemovePod, SetStatus
from app.bridge.decision.facts import Facts
from app.bridge.decision.reconcile import decide
from app.model.pod import Pod
from app.model.task import Task, TaskContainer
from tests.bridge.fakes import CONFIG
from tests.bridge.situations import attempted, facts_of, with_material
from tests.bridge.validity import complaints
from tests.builders import NOON, a_container, a_task

STATUSES = (
    "PROVISIONING",
    "PENDING",
    "ACTIVATING",
    "RUNNING",
    "DEACTIVATING",
    "STOPPING",
    "DEPROVISIONING",
    "STOPPED",
    "DELETED",
    "SOMETHING_NEW",
)
STOP_CODES = (
    "",
    "TaskFailedToStart",
    "EssentialContainerExited",
    "UserInitiated",
    "ServiceSchedulerInitiated",
    "SpotInterruption",
    "TerminationNotice",
    "InfrastructureHealth",
    "SomethingNew",
)
OVER = ("STOPPED", "DELETED")
BEFORE_RUNNING = ("PROVISIONING", "PENDING", "ACTIVATING")
LOST_MACHINE = ("SpotInterruption", "TerminationNotice", "InfrastructureHealth", "ServiceSchedulerInitiated")
BY_SOMEBODY = ("UserInitiated",)
EXITS: dict[str, dict[str, Any]] = {
    "exit 0": {"exit_code": 0},
    "exit 3": {"exit_code": 3},
    "no exit code": {"exit_code": None},
    "out of memory": {"exit_code": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"},
}
SHAPES: dict[str, dict[str, Any]] = {
    "simple": {},
    "init container": {"initContainers": [a_container("first")]},
    "sidecar": {"initContainers": [a_container("beside", restartPolicy="Always")]},
    "two mains": {"containers": [a_container(name, command=["/serve"]) for name in ("main", "other")]},
}
HELPED = msgspec.structs.replace(
    CONFIG, task=msgspec.structs.replace(CONFIG.task, helper_image="registry.example/helper:1")
)
MOMENTS = (timedelta(seconds=1), timedelta(hours=1))


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One situation. Whoever `wants` the task to be is ECS's desiredStatus."""

    status: str
    wants: str
    code: str
    policy: str
    exit: str
    shape: str
    deleted: bool


def cases(status: str, code: str) -> Iterator[Case]:
    """Every situation with this status and stop code."""
    rest = itertools.product(
        ("RUNNING", "STOPPED"), ("Always", "OnFailure", "Never"), EXITS, SHAPES, (False, True)
    )
    for wants, policy, end, shape, deleted in rest:
        yield Case(
            status=status, wants=wants, code=code, policy=policy, exit=end, shape=shape, deleted=deleted
        )


def end_of(case: Case) -> str | None:
    """The phase that the pod must end in; None where it lives on (or waits to run again)."""
    if case.status not in OVER:
        return None
    clean = case.exit == "exit 0"
    if case.deleted:
        return "Succeeded" if clean else "Failed"
    nothing_ran = case.code == "TaskFailedToStart" and case.exit == "no exit code"
    if nothing_ran:
        return None
    if case.code in (*LOST_MACHINE, *BY_SOMEBODY):
        return "Failed"
    if clean:
        return None if case.policy == "Always" else "Succeeded"
    return "Failed" if case.policy == "Never" else None


def faults(case: Case) -> list[str]:
    """What the decisions do wrong in this situation; they are followed until they change nothing more."""
    first = facts_of(_pod(case), _task(case), config=HELPED)
    return [f"{case}: {each}" for moment in MOMENTS for each in _walked(case, first, NOON + moment)]


def _walked(case: Case, facts: Facts, now: Any) -> Iterator[str]:
    facts = with_material(msgspec.structs.replace(facts, now=now, looked_at=now))
    for _ in range(4):
        commands = decide(facts)
        yield from _misdeeds(case, facts, commands)
        pod = _written(facts, commands)
        if pod == facts.pod:
            break
        facts = msgspec.structs.replace(facts, pod=pod)
    else:
        yield "its status never comes to rest"
    assert facts.pod is not None
    phase = facts.pod.status.phase
    if (phase if phase in ("Succeeded", "Failed") else None) != end_of(case):
        yield f"it ends as {phase}, not as {end_of(case)}"


def _misdeeds(case: Case, facts: Facts, commands: tuple[object, ...]) -> Iterator[str]:
    assert facts.pod is not None
    live = case.status not in OVER
    if live and any(isinstance(each, (LaunchTask, RemovePod)) for each in commands):
        yield "it launches, or lets the pod go, beside a task that lives"
    for each in commands:
        if isinstance(each, SetStatus):
            yield from complaints(facts.pod, each.status)


def _written(facts: Facts, commands: tuple[object, ...]) -> Pod:
    """The pod as the API server has it after the commands."""
    assert facts.pod is not None
    pod = facts.pod
    for each in commands:
        if isinstance(each, SetStatus):
            merged = {**msgspec.to_builtins(pod.status), **_without_nulls(each.status)}
            pod = msgspec.structs.replace(pod, status=msgspec.convert(merged, type(pod.status)))
    return pod


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, (list, tuple)) else value


def _pod(case: Case) -> Pod:
    return attempted(deleted=case.deleted, restartPolicy=case.policy, **SHAPES[case.shape])


def _task(case: Case) -> Task:
    pod = _pod(case)
    over, begun = case.status in OVER, case.status not in BEFORE_RUNNING
    ran = begun and not (case.code == "TaskFailedToStart" and case.exit == "no exit code")
    known = {"exit_code": None, "reason": "", **EXITS[case.exit]} if over else {"exit_code": None}
    state = "STOPPED" if over else "RUNNING" if begun else "PENDING"
    boxes = [
        TaskContainer(name=each.name, last_status=state, **(known if index == 0 else _end_of_others(case)))
        for index, each in enumerate(pod.spec.containers)
    ]
    before: dict[str, dict[str, Any]] = {
        "first": {"last_status": "STOPPED", "exit_code": 0},
        "beside": {"last_status": state},
    }
    boxes += [
        TaskContainer(name=each.name, **(before[each.name] if ran else {"last_status": state}))
        for each in pod.spec.init_containers
    ]
    return a_task(
        pod,
        last_status=case.status,
        desired_status=case.wants,
        stop_code=case.code,
        started_at=NOON if ran else None,
        stopped_at=NOON if over else None,
        containers=tuple(boxes),
    )


def _end_of_others(case: Case) -> dict[str, Any]:
    return {"exit_code": 0} if case.status in OVER and case.exit != "no exit code" else {}
