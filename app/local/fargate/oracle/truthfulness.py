"""Whether pods say what happened: their statuses against the journal. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from app.local.fargate.journal import ContainerState, Entry
from app.local.fargate.oracle import truth
from app.local.fargate.oracle.history import has_run, histories
from app.local.fargate.oracle.truth import Facts

Json = dict[str, Any]


_UNKNOWN: Final[Json] = {"terminated": {"exitCode": 137, "reason": "ContainerStatusUnknown"}}


class Untruth(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a pod says and that is not so.

    Attributes:
        pod: `namespace/name`.
        about: `phase`, `reason`, `condition X`, `container X`, `last state of X` or `restarts of X`.
        said: what stands in the status.
        true: what may stand there.
    """

    pod: str
    uid: str
    about: str
    said: str
    true: str


def untruthful(pods: Iterable[Json], entries: Iterable[Entry]) -> tuple[Untruth, ...]:
    """Everything that the pods of the virtual node say and the journal denies.

    `pods` are as the API server gives them (v1.Pod), read after `entries` came to rest: a status that only
    lags is an untruth here. Readiness is judged by the task alone: probes are not in the journal.
    """
    launches = histories(entries)
    found: list[Untruth] = []
    for pod in pods:
        facts = truth.facts_of(pod, launches.get(pod["metadata"]["uid"], ()))
        found.extend(_untruths(pod, facts))
    return tuple(found)


def _untruths(pod: Json, facts: Facts) -> Iterator[Untruth]:
    metadata, status = pod["metadata"], pod.get("status", {})
    claims = (*_of_pod(status, facts), *_of_containers(status, facts))
    for about, said, true in claims:
        name = f"{metadata.get('namespace', 'default')}/{metadata['name']}"
        yield Untruth(pod=name, uid=metadata["uid"], about=about, said=said, true=true)


Claim = tuple[str, str, str]
"""What an untruth is about, what is said, what is true."""


def _of_pod(status: Json, facts: Facts) -> Iterator[Claim]:
    phase = status.get("phase", "Pending")
    true = truth.phases(facts)
    if phase not in true:
        yield "phase", phase, " or ".join(sorted(true))
    by_deadline = facts.deadline and status.get("reason") == "DeadlineExceeded"
    wanted = truth.reason(facts)
    if phase == "Failed" and wanted and not by_deadline and status.get("reason") != wanted:
        yield "reason", status.get("reason", ""), wanted
    if status.get("reason") == "DeadlineExceeded" and not facts.deadline:
        yield "reason", "DeadlineExceeded", "the pod has no deadline"
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    yield from _of_conditions(conditions, facts)


def _of_conditions(conditions: dict[str, str], facts: Facts) -> Iterator[Claim]:
    running = bool(facts.launches) and facts.last.last.status == "RUNNING"
    if conditions.get("Ready") == "True" and not running:
        yield "condition Ready", "True", "False: its task does not run"
    ended = bool(facts.launches) and facts.last.last.status == "STOPPED" and not facts.deleted
    if ended and facts.last.last.stop_code in truth.DISRUPTIONS and "DisruptionTarget" not in conditions:
        yield "condition DisruptionTarget", "absent", f"True: {facts.last.last.stop_code}"


def _of_containers(status: Json, facts: Facts) -> Iterator[Claim]:
    said = {
        each["name"]: each
        for member in ("initContainerStatuses", "containerStatuses")
        for each in status.get(member) or ()
    }
    for name in (*facts.init, *facts.regular):
        if name in said:
            yield from _of_container(said[name], facts)
        elif facts.launches and status.get("phase") in {"Running", "Succeeded"}:
            yield f"container {name}", "no status", "every container of a pod that ran has one"


def _of_container(said: Json, facts: Facts) -> Iterator[Claim]:
    name, state = said["name"], said.get("state") or {"waiting": {}}
    allowed = tuple(_true_states(name, facts))
    if not any(_agrees(state, each) for each in allowed):
        yield f"container {name}", _words(state), " or ".join(map(_words, allowed))
    yield from _of_last_state(name, said, facts)
    least, greatest = facts.restart_range(name)
    count = said.get("restartCount", 0)
    if count < least or (greatest is not None and count > greatest):
        wanted = f"at least {least}" if greatest is None else f"{least} to {greatest}"
        yield f"restarts of {name}", str(count), wanted


def _of_last_state(name: str, said: Json, facts: Facts) -> Iterator[Claim]:
    last = (said.get("lastState") or {}).get("terminated")
    ends = tuple(_true_ends(name, facts))
    if last is not None and not any(_agrees({"terminated": last}, each) for each in ends):
        yield f"last state of {name}", _words({"terminated": last}), "no such end in the journal"
    if last is None and ends and "waiting" in (said.get("state") or {}) and not facts.restarts_in_place:
        yield f"last state of {name}", "none", " or ".join(map(_words, ends))


def _true_states(name: str, facts: Facts) -> Iterator[Json]:
    """The container states that are true; one agrees with a state that has what it has."""
    if not facts.launches:
        yield {"waiting": {}}
        return
    task = facts.last
    mark = task.containers.get(name)
    if mark is not None and mark.status == "STOPPED" and has_run(mark):
        yield from _ended(mark, facts)
    elif mark is not None and mark.status == "RUNNING":
        yield from _alive(name, facts)
    else:
        yield from _not_begun(name, mark, facts)
    if facts.restarts_in_place:
        yield from ({"waiting": {"reason": "CrashLoopBackOff"}}, {"terminated": {}})
    if facts.deadline:
        yield {"terminated": {}}


def _ended(mark: ContainerState, facts: Facts) -> Iterator[Json]:
    yield _terminated(mark)
    if facts.last.last.status == "DELETED":
        yield _UNKNOWN
    again = facts.policy == "Always" or (facts.policy == "OnFailure" and mark.exit_code != 0)
    failed_to_start = facts.last.last.stop_code == "TaskFailedToStart"
    if (again or failed_to_start) and not truth.is_final(facts):
        yield {"waiting": {}}


def _alive(name: str, facts: Facts) -> Iterator[Json]:
    if facts.last.last.status == "DELETED":
        yield _UNKNOWN
        return
    yield {"running": {}}
    if name in facts.regular and not facts.last.ran:
        yield {"waiting": {}}


def _not_begun(name: str, mark: ContainerState | None, facts: Facts) -> Iterator[Json]:
    task = facts.last
    reasons = truth.waiting_reasons(task, mark)
    yield from ({"waiting": {"reason": reason}} for reason in reasons)
    if not reasons:
        yield {"waiting": {}}
    if task.is_over:
        yield _UNKNOWN
    if mark is not None and mark.exit_code is not None:
        code = mark.exit_code
        yield from (
            {"terminated": {"exitCode": code, "reason": reason}} for reason in ("Error", "StartError")
        )
    if not task.is_over:
        yield from _true_ends(name, facts)


def _true_ends(name: str, facts: Facts) -> Iterator[Json]:
    """How the container ended in any launch; anything, where that may have been without ECS's knowledge."""
    if facts.restarts_in_place:
        yield {"terminated": {}}
    for task in facts.launches:
        yield from map(_terminated, task.ends.get(name, ()))
        if task.last.status == "DELETED":
            yield _UNKNOWN


def _terminated(mark: ContainerState) -> Json:
    code, reason = truth.termination(mark)
    return {"terminated": {"exitCode": code, "reason": reason}}


def _agrees(said: Json, true: Json) -> bool:
    [(kind, members)] = true.items()
    return kind in said and all(said[kind].get(name) == value for name, value in members.items())


def _words(state: Json) -> str:
    [(kind, members), *_] = state.items()
    code = f" {members['exitCode']}" if "exitCode" in members else ""
    reason = f" {members['reason']}" if members.get("reason") else ""
    return f"{kind}{code}{reason}"
