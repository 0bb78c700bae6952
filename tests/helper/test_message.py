"""The termination message."""

from pathlib import Path

import pytest

from tests.helper.fakes import Stage, b64, shell


@pytest.mark.parametrize(
    ("text", "most", "message"),
    [
        pytest.param("bye", 4096, "bye", id="whole"),
        pytest.param("0123456789", 4, "6789", id="the last bytes"),
        pytest.param("bye", 0, None, id="none asked for"),
        pytest.param("", 4096, None, id="empty"),
    ],
)
def test_records_the_termination_message(
    text: str, most: int, message: str | None, stage: Stage, tmp_path: Path
) -> None:
    path = tmp_path / "dev/termination-log"
    stage.run(f"message {b64(str(path))} File {most}", command=shell(f"printf %s '{text}' > {path}"))
    assert stage.ends()[0].get("message") == (message and b64(message))


def test_records_why_there_can_be_no_message_and_runs(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "message"
    path.symlink_to("elsewhere")
    result = stage.run(f"message {b64(str(path))} File 4096", command=shell(f"echo bye > {path}"))
    assert (result.returncode, result.stderr) == (0, "")
    assert "ymbolic link" in stage.records()[0]["noMessage"]
    assert "message" not in stage.ends()[0]


def test_the_message_of_one_run_is_not_that_of_the_next(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "message"
    command = shell(
        f"[ -e {tmp_path}/second ] && exit 0; touch {tmp_path}/second; echo once > {path}; exit 1"
    )
    lines = [f"message {b64(str(path))} FallbackToLogsOnError 4096", "restart OnFailure"]
    assert stage.run(*lines, command=command).returncode == 0
    assert [end.get("message") for end in stage.ends()] == [b64("once\n"), None]


@pytest.mark.parametrize("make", ["ln -s /etc/passwd", "mkfifo", "mkdir"])
def test_reads_no_message_but_from_a_plain_file(make: str, stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "message"
    result = stage.run(f"message {b64(str(path))} File 4096", command=shell(f"rm {path}; {make} {path}"))
    assert result.returncode == 0
    assert "message" not in stage.ends()[0]
