"""What really happened, counted from the journal alone."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from app.local.fargate.journal import LOST, OVER, Call, Entry, SessionChange, Transition


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The truth about a run.

    Attributes:
        launches: tasks that came into being; `pods` is the number of different pods among them.
        calls: operation → outcome → number of calls.
        throttled_share: ThrottlingException answers among all calls; 0 where there was no call.
        register_calls: RegisterTaskDefinition calls, whatever came of them.
        duplicates: launches of a pod while another task of it was alive, or of a (pod, attempt) that had
            been launched before.
        duplicate_tasks: the ARNs of those launches.
        left: tasks that have neither reached STOPPED nor vanished; `left_tasks` are their ARNs.
        peak: the most tasks that were alive at a time.
        strangers: launches without a pod's identity.
        unanswered: calls whose answer was withheld on request; `lost_answers` are those among them that were
            carried out.
        first_launch, last_launch: steady seconds of the first and the last launch; None without launches.
        stop_codes: stopCode → tasks that ended with it.
        sessions: sessions that were opened in containers; `sessions_left` are those that have not ended.
        violations: how clients of sessions broke Session Manager's protocol.
    """

    launches: int
    pods: int
    calls: dict[str, dict[str, int]]
    throttled_share: float
    register_calls: int
    duplicates: int
    duplicate_tasks: tuple[str, ...]
    left: int
    left_tasks: tuple[str, ...]
    peak: int
    strangers: int
    unanswered: int
    lost_answers: int
    first_launch: float | None
    last_launch: float | None
    stop_codes: dict[str, int]
    sessions: int
    sessions_left: tuple[str, ...]
    violations: tuple[str, ...]

    @property
    def launch_seconds(self) -> float:
        """From the first launch to the last."""
        if self.first_launch is None or self.last_launch is None:
            return 0.0
        return self.last_launch - self.first_launch


def tally(entries: Iterable[Entry]) -> Tally:
    """Count a journal, or any part of one from its beginning."""
    everything = tuple(entries)
    calls = [each for each in everything if isinstance(each, Call)]
    transitions = [each for each in everything if isinstance(each, Transition)]
    launches = [each for each in transitions if each.version == 1]
    duplicates = _duplicates(transitions)
    left = _left(transitions)
    return Tally(
        launches=len(launches),
        pods=len({each.pod.uid for each in launches if each.pod}),
        calls=_by_outcome(calls),
        throttled_share=_share(calls, "ThrottlingException"),
        register_calls=sum(each.operation == "RegisterTaskDefinition" for each in calls),
        duplicates=len(duplicates),
        duplicate_tasks=duplicates,
        left=len(left),
        left_tasks=left,
        peak=_peak(transitions),
        strangers=sum(each.pod is None for each in launches),
        unanswered=sum(not each.answered for each in calls),
        lost_answers=sum(not each.answered and each.outcome != LOST for each in calls),
        first_launch=min((each.steady for each in launches), default=None),
        last_launch=max((each.steady for each in launches), default=None),
        stop_codes=dict(Counter(each.stop_code for each in transitions if each.status == "STOPPED")),
        **_of_sessions([each for each in everything if isinstance(each, SessionChange)]),
    )


def orphans(entries: Iterable[Entry], *, pods: Collection[str]) -> tuple[str, ...]:
    """The ARNs of tasks that are not over and whose pod is not among `pods`, the uids of those that live.

    Tasks that are nobody's (`strangers`) are no orphans.
    """
    last = {each.task: each for each in entries if isinstance(each, Transition)}
    return tuple(
        task
        for task, each in last.items()
        if each.pod is not None and each.pod.uid not in pods and each.status not in OVER
    )


def _of_sessions(changes: Sequence[SessionChange]) -> dict[str, Any]:
    last = {each.session: each for each in changes}
    return {
        "sessions": len(last),
        "sessions_left": tuple(name for name, each in last.items() if each.status != "ENDED"),
        "violations": tuple(each.reason for each in changes if each.reason.startswith("violation: ")),
    }


def _duplicates(transitions: Iterable[Transition]) -> tuple[str, ...]:
    alive: dict[str, set[str]] = {}
    launched: set[tuple[str, int]] = set()
    duplicates = []
    for each in transitions:
        if each.pod is None:
            continue
        uid = each.pod.uid
        others = alive.setdefault(uid, set())
        if each.version == 1:
            if others or (uid, each.attempt) in launched:
                duplicates.append(each.task)
            others.add(each.task)
            launched.add((uid, each.attempt))
        if each.status in OVER:
            others.discard(each.task)
    return tuple(duplicates)


def _left(transitions: Iterable[Transition]) -> tuple[str, ...]:
    last = {each.task: each.status for each in transitions}
    return tuple(task for task, status in last.items() if status not in OVER)


def _peak(transitions: Iterable[Transition]) -> int:
    alive: set[str] = set()
    peak = 0
    for each in transitions:
        if each.status in OVER:
            alive.discard(each.task)
        else:
            alive.add(each.task)
        peak = max(peak, len(alive))
    return peak


def _by_outcome(calls: Iterable[Call]) -> dict[str, dict[str, int]]:
    counted: dict[str, Counter[str]] = {}
    for each in calls:
        counted.setdefault(each.operation, Counter())[each.outcome] += 1
    return {operation: dict(outcomes) for operation, outcomes in counted.items()}


def _share(calls: list[Call], outcome: str) -> float:
    return sum(each.outcome == outcome for each in calls) / len(calls) if calls else 0.0
