"""`spillway simulate`: what it prints and writes, and with which code it ends."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import app.simulator
from app.cli import simulate
from app.cli.main import cli
from app.simulator.replay import Replay

TRACE = """\
name,cpu_milli,memory_mib,creation_time,deletion_time
a,1000,2048,0,600
b,1000,2048,0,600
c,1000,2048,0,600
"""
SCENE = [
    "--nodes",
    "1",
    "--max-nodes",
    "2",
    "--node-cpu",
    "2",
    "--node-memory",
    "4Gi",
    "--node-price",
    "0.36",
]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A terminal wide enough that no word is broken."""
    monkeypatch.setenv("COLUMNS", "300")
    return CliRunner()


@pytest.fixture
def trace(tmp_path: Path) -> str:
    """A trace of three pods, of which a node holds two."""
    path = tmp_path / "trace.csv"
    path.write_text(TRACE)
    return str(path)


def report(run: CliRunner, *arguments: str) -> Any:
    result = run.invoke(cli, ["simulate", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_table_compares_all_four(run: CliRunner, trace: str) -> None:
    result = run.invoke(cli, ["simulate", trace, *SCENE])
    assert result.exit_code == 0
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines()]
    assert ["cost", "$0.12", "$0.20", "$0.03", "$0.07"] in cells
    assert ["all is over", "20.0 min", "12.0 min", "10.8 min", "10.8 min"] in cells
    assert ["wait p99", "10.0 min", "2.0 min", "45 s", "45 s"] in cells
    assert ["pods on Fargate", "0.0%", "0.0%", "100.0%", "33.3%"] in cells
    assert "Spillway costs 2.76 times the cheapest that ran every pod: Fargate only" in result.stdout


def test_json_is_one_object_with_the_ratio(run: CliRunner, trace: str) -> None:
    found = report(run, trace, *SCENE)
    assert [each["policy"] for each in found["policies"]] == ["nodes", "autoscaler", "fargate", "spillway"]
    assert (found["pods"], found["best"]) == (3, "fargate")
    assert found["ratioToBest"] == pytest.approx((0.36 + 0.04937) / (3 * 0.04937))


def test_only_the_policies_that_were_asked_for_run(run: CliRunner, trace: str) -> None:
    found = report(run, trace, *SCENE, "--policy", "spillway", "--policy", "nodes")
    assert [each["policy"] for each in found["policies"]] == ["nodes", "spillway"]


@pytest.mark.parametrize(
    ("flags", "p99"),
    [
        pytest.param(["--max-wait", "90s", "--max-nodes", "1"], 135, id="max-wait"),
        pytest.param(["--fargate-start", "20s"], 20, id="fargate-start"),
        pytest.param(["--max-pods", "0", "--autoscaler-delay", "5m"], 300, id="max-pods"),
        pytest.param(["--max-vcpu", "0.5", "--max-nodes", "1"], 600, id="max-vcpu"),
        pytest.param(["--max-hourly-cost", "0.04", "--max-nodes", "1"], 600, id="max-hourly-cost"),
    ],
)
def test_flags_reach_the_gate_and_the_scene(run: CliRunner, trace: str, flags: list[str], p99: float) -> None:
    (found,) = report(run, trace, *SCENE, "--policy", "spillway", *flags)["policies"]
    assert found["waitP99"] == p99


def test_pods_that_never_ran_are_said(run: CliRunner, trace: str) -> None:
    result = run.invoke(cli, ["simulate", trace, *SCENE, "--policy", "nodes", "--nodes", "0"])
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in result.stdout.splitlines()]
    assert ["pods that never ran", "3"] in cells
    assert ["wait p50", "never"] in cells


def test_files_are_written_where_they_were_asked_for(run: CliRunner, trace: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the plots need it")
    out = tmp_path / "new" / "folder"
    result = run.invoke(cli, ["simulate", trace, *SCENE, "--policy", "spillway", "--out", str(out)])
    assert result.exit_code == 0
    assert {each.name for each in out.iterdir()} == {
        "report.json",
        "pods-spillway.png",
        "cost.png",
        "waits.png",
    }
    assert json.loads((out / "report.json").read_text())["policies"][0]["policy"] == "spillway"


def test_without_matplotlib_the_report_is_written_and_the_mend_said(
    run: CliRunner, trace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "app.simulator.plots", raising=False)
    monkeypatch.delattr(app.simulator, "plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.axes", None)
    result = run.invoke(cli, ["simulate", trace, *SCENE, "--out", str(tmp_path)])
    assert result.exit_code == 0
    assert "pip install 'spillway-fargate[plots]'" in result.stderr
    assert (tmp_path / "report.json").exists()


def test_a_folder_that_cannot_be_written_ends_with_1(run: CliRunner, trace: str) -> None:
    result = run.invoke(cli, ["simulate", trace, *SCENE, "--out", trace])
    assert result.exit_code == 1
    assert f"{trace} cannot be used: File exists" in result.stderr


@pytest.mark.parametrize("flags", [pytest.param([], id="table"), pytest.param(["--json"], id="json")])
def test_where_nothing_can_be_printed_the_output_is_named(trace: str, flags: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "app", "simulate", trace, *SCENE, *flags],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert "standard output cannot be used: No space left on device" in ended.stderr
    assert "Exception" not in ended.stderr
    assert ended.returncode == 1


def test_where_a_disk_is_full_the_folder_is_named(
    run: CliRunner, trace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "report.json").symlink_to("/dev/full")
    result = run.invoke(cli, ["simulate", trace, *SCENE, "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert f"{tmp_path} cannot be used: No space left on device" in result.stderr


def test_a_bad_trace_ends_with_2_and_every_line(run: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(f"{TRACE}d,[red]x[/],1,0,1\ne,1,1,9,3\n")
    result = run.invoke(cli, ["simulate", str(path)])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f'{path}:5: cpu_milli is "[red]x[/]"; write a whole number of millicores, as 500' in result.stderr
    assert f"{path}:6: deletion_time is before creation_time" in result.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"\xff\xfe", "is no UTF-8 text", id="no-text"),
        pytest.param(b"", "the header lacks name", id="empty"),
    ],
)
def test_what_is_no_csv_ends_with_2(run: CliRunner, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "it.csv"
    path.write_bytes(content)
    result = run.invoke(cli, ["simulate", str(path)])
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_file_that_is_not_there_ends_with_2(run: CliRunner, tmp_path: Path) -> None:
    result = run.invoke(cli, ["simulate", str(tmp_path / "lost.csv")])
    assert result.exit_code == 2
    assert "lost.csv cannot be read: No such file or directory" in result.stderr


def test_a_byte_order_mark_is_passed_over(run: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_text(TRACE.replace("\n", "\r\n"), encoding="utf-8-sig")
    assert report(run, str(path))["pods"] == 3


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["--max-wait", "soon"], id="duration"),
        pytest.param(["--node-cpu", "many"], id="quantity"),
        pytest.param(["--node-memory", "0"], id="no-room"),
        pytest.param(["--node-price", "nan"], id="no-number"),
        pytest.param(["--policy", "magic"], id="policy"),
        pytest.param(["--nodes", "-1"], id="negative"),
    ],
)
def test_a_flag_that_means_nothing_ends_with_2(run: CliRunner, trace: str, flags: list[str]) -> None:
    assert run.invoke(cli, ["simulate", trace, *flags]).exit_code == 2


def test_ctrl_c_ends_it_with_130_and_no_traceback(
    run: CliRunner, trace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(Replay):
        def step(self, now: int) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(simulate, "Replay", Interrupted)
    result = run.invoke(cli, ["simulate", trace, "--out", str(tmp_path / "out")])
    assert (result.exit_code, result.stderr) == (130, "stopped\n")
    assert not (tmp_path / "out").exists()


def test_the_example_is_a_trace(run: CliRunner) -> None:
    found = report(run, "examples/ci-day.csv", "--nodes", "2")
    assert (found["pods"], found["hours"], found["ignoredColumns"]) == (180, 24, [])
    assert [each["neverRan"] for each in found["policies"]] == [0, 0, 0, 0]
