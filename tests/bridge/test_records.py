"""Reading what helpers record: where it is, how far it was read, and what is not there."""

import asyncio

import msgspec
import pytest

from app.bridge.config import RecordConfig
from app.bridge.decision.facts import PodKey
from app.bridge.decision.living import RECORDS_WITHIN
from app.bridge.log_places import LogPlaces
from app.bridge.pod_views import PodViews
from app.bridge.records import Records
from app.bridge.status.observed import Told
from app.bridge.task_store import TaskStore
from app.model.pod import Pod
from app.model.task import Task, TaskContainer
from app.ports.failures import Refused, Unavailable
from tests.bridge.fakes import TASK as SETTINGS
from tests.bridge.fakes import FakeStreams
from tests.bridge.situations import began, lines_of_runs, over
from tests.builders import NOON, VIRTUAL, a_pod, a_task
from tests.fakes import FakeWatched, VirtualClock

POD = a_pod("web-1", uid="u1")
KEEPER = TaskContainer(name="spillway-keeper", last_status="RUNNING")
TASK = a_task(POD, containers=(TaskContainer(name="main", last_status="RUNNING"), KEEPER))
STREAM = f"spillway/spillway-keeper/{TASK.task_id}"


class Reading:
    """Records over streams that the test fills."""

    def __init__(self, *tasks: Task, pod: Pod = POD) -> None:
        self.streams = FakeStreams()
        self.store = TaskStore(cluster="cluster-1", node=VIRTUAL)
        for task in tasks:
            self.store.put(task)
        self.clock = VirtualClock()
        self.leads = asyncio.Event()
        self.leads.set()
        self.records = Records(
            self.streams,
            self.store,
            clock=self.clock,
            places=LogPlaces(PodViews(FakeWatched([pod])), settings=SETTINGS),
            config=RecordConfig(),
            held=self.leads.wait,
        )
        self.told: list[PodKey] = []
        self.records.on_change(self.told.append)

    async def running(self, seconds: float) -> None:
        """Let the readings go on for so long."""
        reading = asyncio.create_task(self.records.run())
        await self.clock.advance(seconds)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

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


async def test_a_task_is_read_where_its_launch_wrote_whatever_the_setting_says_now() -> None:
    written = {"spillway.dev/log-group": "/before", "spillway.dev/attempt-of": POD.uid}
    reading = Reading(TASK, pod=a_pod("web-1", uid=POD.uid, annotations=written))
    reading.streams.group = "/before"
    reading.streams.lines[STREAM] = [began(1)]
    await reading.records.read(TASK)
    assert [run.number for run in reading.known().runs["main"]] == [1]


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


async def test_what_a_helper_tells_of_usage_is_no_record_and_hides_none() -> None:
    reading = Reading(TASK)
    usage = '{"record":"usage","containers":{"main":["2026-01-01T12:00:15.123Z",1000,4096]}}'
    month = [usage] * (30 * 24 * 60 * 4)
    reading.streams.lines[STREAM] = [began(1), *month, over(1)]
    ended = msgspec.structs.replace(TASK, last_status="STOPPED", version=9)
    await reading.records.read(ended)
    assert [(run.number, run.code is not None) for run in reading.known().runs["main"]] == [(1, True)]


async def test_a_forged_line_does_not_end_the_reading_of_others() -> None:
    other = a_task(a_pod("web-2", uid="u2"), containers=TASK.containers)
    reading = Reading(TASK, other)
    reading.streams.lines[STREAM] = ['{"container":"main","x":' + "[" * 2000 + "]" * 2000 + "}"]
    reading.streams.lines[f"spillway/spillway-keeper/{other.task_id}"] = [began(1)]
    await reading.running(5)
    assert list(reading.records.of((TASK, other))) == [other.arn]


async def test_a_reading_that_fails_in_any_way_does_not_end_the_others() -> None:
    other = a_task(a_pod("web-2", uid="u2"), containers=TASK.containers)
    reading = Reading(TASK, other)
    reading.streams.broken = {STREAM: RuntimeError("a bug")}
    reading.streams.lines[f"spillway/spillway-keeper/{other.task_id}"] = [began(1)]
    await reading.running(5)
    assert list(reading.records.of((TASK, other))) == [other.arn]


async def test_nothing_is_read_while_the_node_is_not_ours() -> None:
    reading = Reading(TASK)
    reading.leads.clear()
    reading.streams.lines[STREAM] = [began(1)]
    await reading.running(60)
    assert reading.streams.asked == []


async def test_a_running_task_is_read_by_one_page_in_its_turn() -> None:
    reading = Reading(TASK)
    reading.streams.lines[STREAM] = [began(1)]
    await reading.running(4)
    assert reading.streams.asked == [STREAM]


async def test_a_thousand_quiet_tasks_do_not_keep_a_crash_loop_waiting() -> None:
    quiet = [a_task(a_pod(f"q-{n}", uid=f"q{n}"), containers=TASK.containers) for n in range(1000)]
    reading = Reading(*quiet, TASK)
    await reading.running(400)
    reading.streams.lines[STREAM] = [began(1)]
    await reading.running(300)
    reading.streams.lines[STREAM].append(over(1))
    before = len(reading.streams.asked)
    await reading.running(12)
    assert STREAM in reading.streams.asked[before:]


async def test_of_a_thousand_quiet_tasks_none_is_forgotten() -> None:
    quiet = [a_task(a_pod(f"q-{n}", uid=f"q{n}"), containers=TASK.containers) for n in range(1000)]
    reading = Reading(*quiet)
    await reading.running(270)
    assert len(set(reading.streams.asked)) == 1000


async def test_an_end_does_not_wait_longer_for_its_words_than_it_may() -> None:
    ended = msgspec.structs.replace(TASK, last_status="STOPPED", stopped_at=NOON)
    reading = Reading(ended)
    reading.streams.stuck = STREAM
    doing = asyncio.create_task(reading.records.read(ended, messages=("main",)))
    await reading.clock.advance(RECORDS_WITHIN.total_seconds() + 1)
    assert doing.done()
    with pytest.raises(Unavailable, match="no answer within 20 s"):
        await doing


async def test_what_was_read_before_the_time_was_up_stays() -> None:
    ended = msgspec.structs.replace(TASK, last_status="STOPPED", stopped_at=NOON)
    reading = Reading(ended)
    reading.streams.lines[STREAM] = [began(1)]
    reading.streams.stuck = f"spillway/main/{TASK.task_id}"
    doing = asyncio.create_task(reading.records.read(ended, messages=("main",)))
    await reading.clock.advance(30)
    with pytest.raises(Unavailable):
        await doing
    assert [run.number for run in reading.known().runs["main"]] == [1]


async def test_a_record_that_completes_an_end_is_the_last_page_asked_for() -> None:
    ended = msgspec.structs.replace(TASK, last_status="STOPPED", stopped_at=NOON)
    reading = Reading(ended)
    reading.streams.lines[STREAM] = [began(1), over(1), '{"container":"main","done":true,"code":3}']
    await reading.records.read(ended)
    assert reading.streams.asked == [STREAM]


async def test_a_position_that_has_expired_is_given_up() -> None:
    reading = Reading(TASK)
    reading.streams.lines[STREAM] = [began(1)]
    await reading.records.read(TASK)
    reading.streams.broken = {STREAM: Refused("The specified nextToken is invalid.")}
    await reading.records.read(TASK)
    reading.streams.broken = {}
    reading.streams.lines[STREAM] = [began(1), over(1), began(2)]
    await reading.records.read(TASK)
    assert [run.number for run in reading.known().runs["main"]] == [1, 2]


async def test_a_refusal_that_is_not_the_positions_fault_is_told() -> None:
    reading = Reading(TASK)
    reading.streams.broken = {STREAM: Refused("AccessDenied")}
    with pytest.raises(Refused):
        await reading.records.read(TASK)
