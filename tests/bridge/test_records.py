"""Reading what helpers record: where it is, how far it was read, and what is not there."""

import pytest

from app.bridge.config import RecordConfig
from app.bridge.decision.facts import PodKey
from app.bridge.records import Records
from app.bridge.status.observed import Told
from app.bridge.task_store import TaskStore
from app.model.task import Task, TaskContainer
from tests.bridge.fakes import FakeStreams
from tests.bridge.situations import began, lines_of_runs, over
from tests.builders import VIRTUAL, a_pod, a_task
from tests.fakes import VirtualClock

POD = a_pod("web-1", uid="u1")
KEEPER = TaskContainer(name="spillway-keeper", last_status="RUNNING")
TASK = a_task(POD, containers=(TaskContainer(name="main", last_status="RUNNING"), KEEPER))
STREAM = f"spillway/spillway-keeper/{TASK.task_id}"


class Reading:
    """Records over streams that the test fills."""

    def __init__(self, *tasks: Task) -> None:
        self.streams = FakeStreams()
        self.store = TaskStore(cluster="cluster-1", node=VIRTUAL)
        for task in tasks:
            self.store.put(task)
        self.clock = VirtualClock()
        self.records = Records(
            self.streams, self.store, clock=self.clock, prefix="spillway", config=RecordConfig()
        )
        self.told: list[PodKey] = []
        self.records.on_change(self.told.append)

    def known(self) -> Told:
        return self.records.of((TASK,))[TASK.arn]


async def test_the_keepers_stream_is_read_on_from_where_it_was() -> None:
    reading = Reading(TASK)
    reading.streams.lines[STREAM] = [began(1)]
    await reading.records.read(TASK)
    reading.streams.lines[STREAM] += [over(1), began(2)]
    await reading.records.read(TASK)
    assert [run.number for run in reading.known().runs["main"]] == [1, 2]


async def test_whose_records_are_new_is_told_and_nobody_else() -> None:
    reading = Reading(TASK)
    reading.streams.lines[STREAM] = [began(1)]
    await reading.records.read(TASK)
    await reading.records.read(TASK)
    assert reading.told == [PodKey("shop", "web-1", POD.uid)]


async def test_a_stream_that_is_not_there_yet_says_nothing() -> None:
    reading = Reading(TASK)
    await reading.records.read(TASK, messages=("main",))
    assert reading.records.of((TASK,)) == {}


async def test_only_the_last_runs_are_kept() -> None:
    reading = Reading(TASK)
    reading.streams.lines[STREAM] = list(lines_of_runs(9))
    await reading.records.read(TASK)
    assert [run.number for run in reading.known().runs["main"]] == [8, 9]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        pytest.param(["one", "two"], "one\ntwo\n", id="whole"),
        pytest.param([str(n) for n in range(100)], "".join(f"{n}\n" for n in range(20, 100)), id="80-lines"),
        pytest.param(["x" * 3000], "x" * 2047 + "\n", id="2048-bytes"),
    ],
)
async def test_a_logs_end_is_cut_as_a_kubelet_cuts_it(lines: list[str], message: str) -> None:
    reading = Reading(TASK)
    reading.streams.lines[f"spillway/main/{TASK.task_id}"] = lines
    await reading.records.read(TASK, messages=("main",))
    assert reading.known().messages == {"main": message}


async def test_a_log_that_is_empty_yet_is_read_again() -> None:
    reading = Reading(TASK)
    stream = f"spillway/main/{TASK.task_id}"
    reading.streams.lines[stream] = []
    await reading.records.read(TASK, messages=("main",))
    reading.streams.lines[stream] = ["late words"]
    await reading.records.read(TASK, messages=("main",))
    assert reading.known().messages == {"main": "late words\n"}
