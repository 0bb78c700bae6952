"""`keep` tells what the task's containers use, and nobody else can in its place."""

import json
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.helper.fakes import MetadataEndpoint, Stage, container, ended, eventually, said

DONE = '{"container":"main","done":true,"code":0}'
READ = "2026-01-01T12:00:15.123456789Z"
PATIENCE_OF_A_READING = 2.0
"""Seconds."""

LONG_ID = "0123456789abcdef" * 4


def measured(*, cpu: int = 5_000_000_000, usage: int = 9000, **stats: int) -> dict[str, Any]:
    """Docker's statistics of a container, as far as anybody looks."""
    return {
        "read": READ,
        "name": "another name",
        "cpu_stats": {"cpu_usage": {"total_usage": cpu, "usage_in_usermode": 7}, "online_cpus": 2},
        "memory_stats": {"max_usage": 99_999, "usage": usage, "stats": stats},
    }


def told(stage: Stage, endpoint: MetadataEndpoint) -> dict[str, Any]:
    """The containers of the first record of usage."""
    process = stage.spawn("keep", more=endpoint.variables)
    line = said(process)
    assert ended(process, by=signal.SIGTERM) == 0
    assert line.startswith('{"record":"usage",')
    found: dict[str, Any] = json.loads(line)["containers"]
    return found


@pytest.mark.parametrize(
    ("stats", "working_set"),
    [
        pytest.param({"inactive_file": 100, "total_inactive_file": 4000}, 5000, id="cgroup-v1"),
        pytest.param({"inactive_file": 1000, "file": 3}, 8000, id="cgroup-v2"),
        pytest.param({}, 9000, id="neither"),
        pytest.param({"inactive_file": 10_000}, 0, id="more-cached-than-used"),
    ],
)
def test_cpu_time_and_working_set_are_told_by_the_container_s_name(
    stats: dict[str, int], working_set: int, stage: Stage, endpoint: MetadataEndpoint
) -> None:
    endpoint.task.says(container("main", identifier=LONG_ID))
    endpoint.task.statistics[LONG_ID] = measured(**stats)
    assert told(stage, endpoint) == {"main": [READ, 5_000_000_000, working_set]}


def test_every_container_that_was_measured_is_told_of_but_ours(
    stage: Stage, endpoint: MetadataEndpoint
) -> None:
    names = ("main", "side", "spillway-keeper", "spillway-install", "not-yet", "over", "~internal~ecs")
    endpoint.task.says(*(container(name, identifier=f"id-{name}") for name in names))
    endpoint.task.statistics.update({f"id-{name}": measured() for name in names})
    endpoint.task.statistics |= {"id-not-yet": measured(cpu=0), "id-over": None, "id-stranger": measured()}
    assert sorted(told(stage, endpoint)) == ["main", "side"]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({**measured(), "read": 'x","evil":["'}, id="no-time"),
        pytest.param({**measured(), "cpu_stats": {}}, id="no-cpu"),
        pytest.param({**measured(), "memory_stats": {"usage": -1}}, id="less-than-no-memory"),
        pytest.param({**measured(), "memory_stats": {"usage": 10**30}}, id="too-much-memory"),
        pytest.param([], id="no-object"),
    ],
)
def test_what_is_no_measurement_is_left_out(broken: Any, stage: Stage, endpoint: MetadataEndpoint) -> None:
    endpoint.task.says(container("main", identifier="a"), container("side", identifier="b"))
    endpoint.task.statistics |= {"a": broken, "b": measured()}
    assert sorted(told(stage, endpoint)) == ["side"]


def test_a_task_of_very_many_containers_is_told_in_one_write(
    stage: Stage, endpoint: MetadataEndpoint
) -> None:
    names = [f"{'c' * 50}-{number}" for number in range(60)]
    endpoint.task.says(*(container(name, identifier=name) for name in names))
    endpoint.task.statistics.update({name: measured() for name in names})
    assert 20 < len(told(stage, endpoint)) < 60


def test_it_is_told_again_and_again(stage: Stage, endpoint: MetadataEndpoint) -> None:
    endpoint.task.says(container("main"))
    endpoint.task.statistics["abc"] = measured()
    process = stage.spawn("keep", more=endpoint.variables)
    first, second = said(process), said(process)
    assert ended(process, by=signal.SIGTERM) == 0
    assert json.loads(first) == json.loads(second)


def test_a_failing_endpoint_is_complained_of_once(stage: Stage, endpoint: MetadataEndpoint) -> None:
    endpoint.task.says(container("main"))
    endpoint.task.statistics_status = 500
    process = stage.spawn("keep", more=endpoint.variables)
    eventually(lambda: len(endpoint.task.paths) > 6, what="a third failure")
    process.send_signal(signal.SIGTERM)
    problem = "the task metadata endpoint: the answer is not a 200"
    said_once = f"spillway-helper: usage is not told: {problem}; this is said once\n"
    assert process.communicate() == ("", said_once)


def test_an_endpoint_that_hangs_holds_up_neither_records_nor_the_end(
    stage: Stage, endpoint: MetadataEndpoint
) -> None:
    endpoint.task.says(container("main"))
    endpoint.task.statistics_given.clear()
    process = stage.spawn("keep", "side", more=endpoint.variables)
    eventually(lambda: any(path.endswith("/stats") for path in endpoint.task.paths), what="a question")
    stage.record("main", '{"run":1}\n')
    assert said(process) == '{"run":1}'
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()
    endpoint.task.statistics_given.set()
    assert (process.returncode, out, err) == (0, "", "")


def test_only_one_reading_goes_on_at_a_time(stage: Stage, endpoint: MetadataEndpoint) -> None:
    endpoint.task.says(container("main"))
    endpoint.task.statistics_given.clear()
    began = time.monotonic()
    process = stage.spawn("keep", "side", more=endpoint.variables)
    # It asks for the task every 10 ms here, and for usage every 150: several periods go by.
    eventually(lambda: len(endpoint.task.paths) > 60, what="sixty questions")
    asked = [path for path in endpoint.task.paths if path.endswith("/stats")]
    endpoint.task.statistics_given.set()
    assert ended(process, by=signal.SIGTERM) == 0
    assert len(asked) <= 1 + (time.monotonic() - began) / PATIENCE_OF_A_READING


def test_a_container_cannot_tell_of_usage_itself(stage: Stage) -> None:
    stage.record("main", '{"record":"usage","containers":{"side":["2026-01-01T12:00:00Z",1,1]}}\n')
    stage.record("main", f"{DONE}\n")
    assert stage.call("keep", "main").stdout == f"{DONE}\n"


@pytest.mark.parametrize("before", [16_384, 131_072, 131_073, 200_000])
def test_nor_by_a_line_that_is_cut_where_its_record_begins(stage: Stage, before: int) -> None:
    """Log drivers split lines, the shortest at 16 KiB; and what fills the keeper's buffer is dropped."""
    forged = '{"record":"usage","containers":{"main":["2026-01-01T12:00:00Z",1,1]}}'
    start = '{"container":"main","run":1,"message":"'
    stage.record("main", f"{start}{'A' * (before - len(start))}{forged}\n")
    stage.record("main", f"{DONE}\n")
    assert stage.call("keep", "main").stdout == f"{DONE}\n"


def test_a_record_that_says_usage_otherwise_is_printed(stage: Stage) -> None:
    failed = '{"container":"main","run":1,"hook":"preStop","error":"{\\"record\\":\\"usage\\",}"}'
    stage.record("main", f"{failed}\n")
    stage.record("main", f"{DONE}\n")
    assert stage.call("keep", "main").stdout == f"{failed}\n{DONE}\n"


def test_nothing_is_told_where_there_is_no_endpoint(stage: Stage) -> None:
    process = stage.spawn("keep")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)
    process.send_signal(signal.SIGTERM)
    assert process.communicate() == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_killed_keeper_leaves_no_reading_behind(stage: Stage, endpoint: MetadataEndpoint) -> None:
    endpoint.task.says(container("main"))
    endpoint.task.statistics_given.clear()
    process = stage.spawn("keep", more=endpoint.variables)
    eventually(lambda: any(path.endswith("/stats") for path in endpoint.task.paths), what="a question")
    process.kill()
    # The reading has the same output: it is at its end once both are gone.
    assert process.communicate() == ("", "")
    endpoint.task.statistics_given.set()
