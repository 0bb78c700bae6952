"""`keep`: every record once, in order, until the containers are done."""

import os
import signal

import pytest

from tests.helper.fakes import MetadataEndpoint, Stage, container, ended, said

DONE = '{"container":"main","done":true,"code":0}'


def test_prints_every_record_and_ends_when_all_are_done(stage: Stage) -> None:
    stage.record("main", f'{{"run":1}}\n{DONE}\n')
    stage.record("side", '{"container":"side","run":1}\n{"container":"side","done":true,"code":3}\n')
    result = stage.call("keep", "main", "side")
    assert result.returncode == 0
    assert sorted(result.stdout.splitlines()) == sorted(
        ['{"run":1}', DONE, '{"container":"side","run":1}', '{"container":"side","done":true,"code":3}']
    )


def test_prints_a_line_when_it_is_whole(stage: Stage) -> None:
    stage.record("main", '{"run":1}\n{"run"')
    process = stage.spawn("keep", "main")
    assert said(process) == '{"run":1}'
    stage.record("main", ":2}\n")
    assert said(process) == '{"run":2}'
    stage.record("main", f"{DONE}\n")
    assert said(process) == DONE
    assert ended(process) == 0


def test_finds_containers_that_begin_later(stage: Stage) -> None:
    stage.record("main", '{"run":1}\n')
    process = stage.spawn("keep", "later")
    assert said(process) == '{"run":1}'
    stage.record("later", '{"container":"later","done":true,"code":0}\n')
    assert said(process) == '{"container":"later","done":true,"code":0}'
    assert ended(process) == 0


def test_without_names_it_goes_on_until_it_is_asked_to_end(stage: Stage) -> None:
    stage.record("main", f"{DONE}\n")
    process = stage.spawn("keep")
    assert said(process) == DONE
    stage.record("main", '{"last":1}\n')
    process.send_signal(signal.SIGTERM)
    assert said(process) == '{"last":1}'
    assert ended(process) == 0


def test_asked_to_end_it_does_whoever_is_not_done(stage: Stage) -> None:
    stage.record("main", '{"run":1}\n')
    process = stage.spawn("keep", "main")
    assert said(process) == '{"run":1}'
    assert ended(process, by=signal.SIGTERM) == 0


def test_ends_when_ecs_says_that_the_containers_stopped(stage: Stage, endpoint: MetadataEndpoint) -> None:
    endpoint.task.says(container("main"), container("main-2", status="STOPPED"))
    stage.record("main", '{"run":1}\n')
    process = stage.spawn("keep", "main", more=endpoint.variables)
    assert said(process) == '{"run":1}'
    endpoint.task.says(container("main-2"), container("main", status="STOPPED"))
    assert ended(process) == 0


def test_another_container_s_word_does_not_count(stage: Stage) -> None:
    stage.record("evil", f"{DONE}\n")
    process = stage.spawn("keep", "main")
    assert said(process) == DONE
    stage.record("evil", "more\n")
    assert said(process) == "more"
    assert process.poll() is None
    assert ended(process, by=signal.SIGTERM) == 0


def test_an_endpoint_that_fails_is_told_once_and_asked_again(
    stage: Stage, endpoint: MetadataEndpoint
) -> None:
    endpoint.task.says(container("main", status="STOPPED"))
    endpoint.task.answers[:0] = [(500, b""), (200, b"no JSON")]
    result = stage.call("keep", "main", more=endpoint.variables)
    assert result.returncode == 0
    assert result.stderr.splitlines() == [
        "spillway-helper: the task metadata endpoint: the answer is not a 200",
        "spillway-helper: the task metadata endpoint: the answer is not JSON",
    ]


def test_reads_only_plain_files_named_as_containers(stage: Stage) -> None:
    os.mkfifo(stage.root / "records" / "fifo")
    (stage.root / "records" / "link").symlink_to("/proc/self/environ")
    (stage.root / "records" / "folder").mkdir()
    stage.record("Not_A_Container", "no\n")
    stage.record("main", f"{DONE}\n")
    assert stage.call("keep", "main").stdout == f"{DONE}\n"


@pytest.mark.parametrize("size", [(1 << 17) - 2, 1 << 17, 300_000])
def test_a_line_without_end_holds_nothing_up(size: int, stage: Stage) -> None:
    stage.record("main", f"{'x' * size}\n{DONE}\n")
    result = stage.call("keep", "main")
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == DONE


def test_records_that_are_not_installed_are_an_error(stage: Stage) -> None:
    (stage.root / "records").rmdir()
    assert stage.call("keep").returncode == 74
