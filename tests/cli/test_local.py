"""`spillway local`: wrong flags are refused at once, in words."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import cli


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """A terminal wide enough that no word is broken."""
    monkeypatch.setenv("COLUMNS", "300")
    return CliRunner()


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(["--cpu", "abc"], id="a cpu that is no quantity"),
        pytest.param(["--memory", "4 gigs"], id="a memory that is no quantity"),
        pytest.param(["--cpu", "0"], id="no cpu"),
        pytest.param(["--memory=-1Gi"], id="less than no memory"),
        pytest.param(["--nodes", "0"], id="no nodes"),
        pytest.param(["--log-level", "loud"], id="an unknown level"),
    ],
)
def test_a_wrong_flag_ends_with_2_and_names_itself(run: CliRunner, flags: list[str]) -> None:
    result = run.invoke(cli, ["local", *flags])
    assert result.exit_code == 2
    assert flags[0].split("=")[0] in result.output


def test_a_directory_with_something_in_it_is_refused(run: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("important")
    result = run.invoke(cli, ["local", "--directory", str(tmp_path)])
    assert result.exit_code == 1
    assert "is not empty" in result.output


def test_a_directory_that_cannot_be_made_is_refused(run: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    result = run.invoke(cli, ["local", "--directory", str(tmp_path / "file" / "below")])
    assert result.exit_code == 1
    assert "name another --directory" in result.output


def test_a_control_plane_that_is_named_and_not_there_is_no_fallback(
    run: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    result = run.invoke(cli, ["local", "--demo"])
    assert result.exit_code == 1
    assert "no kube-apiserver" in result.output


def test_the_version_is_told(run: CliRunner) -> None:
    result = run.invoke(cli, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("spillway ")
