from pathlib import Path

import msgspec
import pytest

from app.local.fargate.faults.orders import Fault
from app.local.fargate.journal import Call, Entry, Journal, Transition
from tests.local.fargate.fakes import Aws, LostAnswer, Refusal, a_launch, overrides_for


def calls(aws: Aws, operation: str) -> list[Call]:
    return [each for each in aws.journal.since() if isinstance(each, Call) and each.operation == operation]


async def test_a_launch_is_told_with_pod_attempt_and_task(aws: Aws) -> None:
    await aws.register()
    arn = await aws.run(overrides=overrides_for("uid-1", attempt=2))
    [call] = calls(aws, "RunTask")
    assert call.pod is not None
    assert (call.pod.uid, call.attempt, call.outcome, call.tasks) == ("uid-1", 2, "ok", (arn,))


async def test_a_transition_carries_the_pod_too(aws: Aws) -> None:
    await aws.register()
    await aws.run(overrides=overrides_for("uid-1", attempt=2), startedBy="node-1")
    [launch] = [each for each in aws.journal.since() if isinstance(each, Transition)]
    assert launch.pod is not None
    assert (launch.pod.uid, launch.attempt, launch.started_by) == ("uid-1", 2, "node-1")
    assert (launch.definition, launch.capacity) == ("web:1", "FARGATE")


async def test_a_refused_call_is_told_with_its_code_and_message(aws: Aws) -> None:
    with pytest.raises(Refusal):
        await aws.run("nothing")
    [call] = calls(aws, "RunTask")
    assert (call.outcome, call.detail) == ("ClientException", "TaskDefinition not found.")


async def test_failures_are_an_outcome_of_their_own(aws: Aws) -> None:
    await aws.register()
    aws.fargate.faults.add(Fault(operation="RunTask", kind="capacity"))
    await aws.call("RunTask", **a_launch())
    assert [each.outcome for each in calls(aws, "RunTask")] == ["failures"]


async def test_a_withheld_answer_is_told_as_such(aws: Aws) -> None:
    await aws.register()
    aws.fargate.faults.add(Fault(operation="RunTask", kind="timeout-after-effect"))
    with pytest.raises(LostAnswer):
        await aws.run()
    [call] = calls(aws, "RunTask")
    assert (call.outcome, call.answered) == ("ok", False)
    assert len(call.tasks) == 1


async def test_an_unknown_operation_is_told(aws: Aws) -> None:
    with pytest.raises(Refusal, match="UnknownOperationException"):
        await aws.call("FlyToTheMoon")
    last = aws.journal.since()[-1]
    assert isinstance(last, Call)
    assert last.outcome == "UnknownOperationException"


async def test_entries_are_numbered_and_read_from_any_number(aws: Aws) -> None:
    await aws.running()
    entries = aws.journal.since()
    assert [each.seq for each in entries] == list(range(len(entries)))
    assert list(aws.journal.since(3)) == list(entries[3:])


async def test_the_file_holds_the_same_entries(aws: Aws, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    aws.journal.open(path)
    await aws.register()
    await aws.run(overrides=overrides_for("uid-1"))
    await aws.clock.advance(60)
    decode = msgspec.json.Decoder(Entry).decode
    assert [decode(line) for line in path.read_bytes().splitlines()] == list(aws.journal.since())
    aws.journal.close()


async def test_a_foreign_identity_variable_is_nobodys(aws: Aws) -> None:
    await aws.register()
    variable = {"name": "SPILLWAY_POD", "value": "not JSON"}
    await aws.run(overrides={"containerOverrides": [{"name": "main", "environment": [variable]}]})
    assert calls(aws, "RunTask")[0].pod is None


async def test_a_closed_journal_goes_on_in_memory(aws: Aws, tmp_path: Path) -> None:
    aws.journal.open(tmp_path / "journal.jsonl")
    aws.journal.close()
    await aws.register()
    assert len(aws.journal.since()) == 1
    assert isinstance(aws.journal, Journal)
