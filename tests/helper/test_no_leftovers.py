"""`run` in the local stack: where no PID namespace ends a command, the end of its runner does."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helper.fakes import Stage, eventually
from tests.local.fargate.running.test_processes import FORGETFUL, KILLED, alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of it")

COMMAND = "trap '' TERM; sleep 600 & echo $! $$ $PPID; sleep 600; true"


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        pytest.param("sys.exit(5)", 5, id="exits-without-stopping"),
        pytest.param(KILLED, -signal.SIGKILL, id="is-killed"),
    ],
)
async def test_nothing_of_a_wrapped_container_outlives_a_program_that(
    ending: str, code: int, stage: Stage, tmp_path: Path
) -> None:
    script = f"export SPILLWAY_ROOT={stage.root} SPILLWAY_RUN_ETC={stage.etc} SPILLWAY_RUN='restart Always'"
    command = tmp_path / "command"
    command.write_text(COMMAND)
    program = await asyncio.to_thread(
        subprocess.run,
        [
            *(sys.executable, "-W", "ignore", "-c", FORGETFUL),
            f"{script}; exec {stage.binary} run main -- sh {command}",
            ending,
        ],
        stdout=subprocess.PIPE,
        check=False,
    )
    assert program.returncode == code
    pids = [int(word) for word in program.stdout.split()]
    assert len(pids) == 3
    eventually(
        lambda: not any(map(alive, pids)), what="the wrapper, its command and that one's child are gone"
    )
