from typing import Any

from app.local.fargate.journal import Call, Entry, SessionChange, Transition
from app.local.fargate.oracle.tally import tally
from app.model.task import Identity
from tests.builders import NOON
from tests.local.fargate.fakes import Aws, overrides_for


def a_call(operation: str = "RunTask", outcome: str = "ok", **fields: Any) -> Call:
    return Call(seq=0, at=NOON, steady=0.0, operation=operation, outcome=outcome, **fields)


def a_transition(
    task: str,
    status: str = "PROVISIONING",
    *,
    uid: str | None = "uid-1",
    attempt: int = 1,
    steady: float = 0.0,
) -> Transition:
    pod = None
    if uid is not None:
        pod = Identity(cluster="c", node="n", namespace="shop", name=uid, uid=uid)  # type: ignore[arg-type]  # a PodUid is a str
    version = 1 if status == "PROVISIONING" else 9
    return Transition(
        seq=0,
        at=NOON,
        steady=steady,
        task=task,
        version=version,
        status=status,
        desired="RUNNING",
        pod=pod,
        attempt=attempt,
    )


def duplicates(*entries: Entry) -> tuple[str, ...]:
    return tally(entries).duplicate_tasks


def test_nothing_happened() -> None:
    found = tally([])
    assert (found.launches, found.duplicates, found.left, found.throttled_share) == (0, 0, 0, 0.0)
    assert (found.first_launch, found.last_launch, found.launch_seconds) == (None, None, 0.0)


def test_two_tasks_alive_for_one_pod_are_a_duplicate() -> None:
    assert duplicates(a_transition("t1", attempt=1), a_transition("t2", attempt=2)) == ("t2",)


def test_the_same_attempt_twice_is_a_duplicate_even_after_the_first_stopped() -> None:
    assert duplicates(
        a_transition("t1", attempt=1), a_transition("t1", "STOPPED"), a_transition("t2", attempt=1)
    ) == ("t2",)


def test_the_next_attempt_after_the_last_stopped_is_none() -> None:
    assert (
        duplicates(
            a_transition("t1", attempt=1), a_transition("t1", "STOPPED"), a_transition("t2", attempt=2)
        )
        == ()
    )


def test_a_task_that_is_only_stopping_is_still_alive() -> None:
    assert duplicates(
        a_transition("t1", attempt=1), a_transition("t1", "DEPROVISIONING"), a_transition("t2", attempt=2)
    ) == ("t2",)


def test_different_pods_are_no_duplicates() -> None:
    assert duplicates(a_transition("t1", uid="a"), a_transition("t2", uid="b")) == ()


def test_tasks_of_nobody_are_strangers_and_no_duplicates() -> None:
    found = tally([a_transition("t1", uid=None), a_transition("t2", uid=None)])
    assert (found.strangers, found.duplicates, found.pods) == (2, 0, 0)


def test_what_has_not_stopped_is_left() -> None:
    found = tally(
        [a_transition("t1", uid="a"), a_transition("t2", uid="b"), a_transition("t1", "STOPPED", uid="a")]
    )
    assert (found.left, found.left_tasks, found.peak) == (1, ("t2",), 2)


def test_calls_are_counted_by_operation_and_outcome() -> None:
    found = tally(
        [
            a_call(),
            a_call(outcome="ThrottlingException"),
            a_call("RegisterTaskDefinition"),
            a_call("ListTasks", answered=False),
        ]
    )
    assert found.calls["RunTask"] == {"ok": 1, "ThrottlingException": 1}
    assert "StopTask" not in found.calls
    assert (found.throttled_share, found.register_calls, found.unanswered) == (0.25, 1, 1)


def test_launch_time_runs_from_the_first_launch_to_the_last() -> None:
    found = tally([a_transition("t1", uid="a", steady=2.0), a_transition("t2", uid="b", steady=5.5)])
    assert found.launch_seconds == 3.5


async def test_the_truth_of_a_real_run(aws: Aws) -> None:
    await aws.register()
    for uid in ("a", "b"):
        await aws.run(overrides=overrides_for(uid), clientToken=uid)
        await aws.run(overrides=overrides_for(uid), clientToken=uid)
    [first, _] = await aws.arns()
    await aws.call("StopTask", cluster="spillway", task=first)
    await aws.clock.advance(60)
    found = tally(aws.journal.since())
    assert (found.launches, found.pods, found.duplicates, found.left) == (2, 2, 0, 1)
    assert found.stop_codes == {"UserInitiated": 1}
    assert found.calls["RunTask"] == {"ok": 4}


def a_session(name: str, status: str, reason: str = "") -> SessionChange:
    return SessionChange(
        seq=0,
        at=NOON,
        steady=0.0,
        session=name,
        task="t1",
        container="main",
        status=status,
        reason=reason,
    )


def test_sessions_are_counted_once_and_missed_where_they_have_not_ended() -> None:
    found = tally(
        [
            a_session("s1", "OPENED"),
            a_session("s1", "CONNECTED"),
            a_session("s1", "ENDED", "its command is over"),
            a_session("s2", "OPENED"),
        ]
    )
    assert (found.sessions, found.sessions_left, found.violations) == (2, ("s2",), ())


def test_violations_are_told() -> None:
    found = tally([a_session("s1", "OPENED"), a_session("s1", "ENDED", "violation: two messages")])
    assert found.violations == ("violation: two messages",)
