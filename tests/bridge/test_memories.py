"""What is remembered of a pod stays small, however often its tasks fail."""

from app.bridge.decision.facts import PodKey
from app.bridge.memories import Memories
from app.bridge.status.observed import HookFailure
from app.model.names import PodUid, TaskArn
from tests.builders import NOON

KEY = PodKey("shop", "web-1", PodUid("u1"))
FAILURE = HookFailure("main", "preStop", "exit code 4", 1)


def test_failed_hooks_of_earlier_attempts_are_forgotten() -> None:
    memories = Memories()
    memories.told_of_hook(KEY, TaskArn("arn:x/1"), FAILURE)
    memories.told_of_hook(KEY, TaskArn("arn:x/2"), FAILURE)
    assert memories.of(KEY).hooks == {("arn:x/2", FAILURE)}


def test_failed_hooks_of_one_attempt_are_remembered_beside_each_other() -> None:
    memories = Memories()
    other = HookFailure("main", "postStart", "signal 9", 1)
    memories.told_of_hook(KEY, TaskArn("arn:x/1"), FAILURE)
    memories.told_of_hook(KEY, TaskArn("arn:x/1"), other)
    assert memories.of(KEY).hooks == {("arn:x/1", FAILURE), ("arn:x/1", other)}


def test_the_last_stops_are_remembered_and_not_all_of_them() -> None:
    memories = Memories()
    for number in range(100):
        memories.stopped(KEY, TaskArn(f"arn:x/{number}"), now=NOON)
    assert list(memories.of(KEY).stops) == [f"arn:x/{number}" for number in range(80, 100)]


def test_a_stop_that_is_repeated_counts_as_the_last() -> None:
    memories = Memories()
    memories.stopped(KEY, TaskArn("arn:x/1"), now=NOON)
    memories.stopped(KEY, TaskArn("arn:x/2"), now=NOON)
    memories.stopped(KEY, TaskArn("arn:x/1"), now=NOON)
    assert list(memories.of(KEY).stops) == ["arn:x/2", "arn:x/1"]
