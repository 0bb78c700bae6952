"""The three programs' commands: flags from settings, and faults that name their mend."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import settings
from app.cli.main import cli
from app.tls.authority import Authority
from tests.builders import NOON

PROGRAMS = ["webhook", "extender", "bridge", "issuer"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """A terminal without a cluster, wide enough that no word is broken."""
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    return CliRunner()


def a_certificate(directory: Path) -> str:
    """A file with a certificate and its key."""
    leaf = Authority.create("test", now=NOON).issue("web", now=NOON, ips=("127.0.0.1",), server=True)
    path = directory / "tls.pem"
    path.write_bytes(leaf.cert_pem + leaf.key_pem)
    return str(path)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_setting_is_a_flag_with_its_variable_in_the_help(run: CliRunner, program: str) -> None:
    said = run.invoke(cli, [program, "--help"]).output
    names = settings.PROGRAMS[program].model_fields
    assert [name for name in names if settings.flag(name) not in said] == []
    assert [name for name in names if settings.variable(name) not in said] == []


def test_wrong_settings_end_with_2_and_a_line_per_fault(run: CliRunner) -> None:
    result = run.invoke(cli, ["extender", "--port", "99999", "--max-wait", "soon"])
    assert result.exit_code == 2
    assert "--port (SPILLWAY_PORT, extender.settings.port)" in result.output
    assert "--max-wait (SPILLWAY_MAX_WAIT, extender.settings.maxWait)" in result.output


def test_an_unknown_flag_ends_with_2(run: CliRunner) -> None:
    assert run.invoke(cli, ["webhook", "--colour", "red"]).exit_code == 2


def test_without_a_cluster_the_extender_says_how_to_name_one(run: CliRunner) -> None:
    result = run.invoke(cli, ["extender", "--host", "127.0.0.1", "--port", "0"])
    assert result.exit_code == 2
    assert "--kubeconfig" in result.output


def test_a_variable_that_no_program_reads_is_told_once_with_the_nearest(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPILLWAY_MAX_POD", "5")
    result = run.invoke(cli, ["extender", "--host", "127.0.0.1", "--port", "0"])
    said = f"{result.output}{capfd.readouterr().err}"
    assert said.count("SPILLWAY_MAX_POD is no setting of any program, and is not read") == 1
    assert "do you mean SPILLWAY_MAX_PODS?" in said


def test_the_bridge_says_what_it_needs(run: CliRunner) -> None:
    result = run.invoke(cli, ["bridge"])
    assert result.exit_code == 2
    assert "kubelet-cert-signer" in result.output


def test_a_taken_port_is_said_and_not_a_traceback(run: CliRunner, tmp_path: Path, taken_port: int) -> None:
    pem = a_certificate(tmp_path)
    arguments = [
        "webhook",
        "--host",
        "127.0.0.1",
        "--port",
        str(taken_port),
        "--tls-cert",
        pem,
        "--tls-key",
        pem,
    ]
    result = run.invoke(cli, arguments)
    assert result.exit_code == 2
    assert "in use" in result.output
    assert "Traceback" not in result.output


def test_a_certificate_that_is_none_is_said_and_not_a_traceback(run: CliRunner, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    arguments = [
        "webhook",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--tls-cert",
        str(wrong),
        "--tls-key",
        str(wrong),
    ]
    result = run.invoke(cli, arguments)
    assert result.exit_code == 2
    assert str(wrong) in result.output
    assert "Traceback" not in result.output
