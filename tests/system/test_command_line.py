"""The demonstration as people run it: one command, one JSON object on the last line, exit code 0."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.system
KEYS = {
    "kubernetes",
    "podsOnNodes",
    "podsOnFargate",
    "logLines",
    "duplicateTasks",
    "tasksLeft",
    "seconds",
}


async def test_the_demonstration_ends_with_0_and_a_summary_on_its_last_line() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "local", "--demo", "--json", "--embedded"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    summary = json.loads(out.splitlines()[-1])
    assert set(summary) >= KEYS
    assert summary["kubernetes"] == "embedded"
    assert summary["podsOnFargate"] > 0
    assert (summary["duplicateTasks"], summary["tasksLeft"]) == (0, 0)


async def test_a_demonstration_that_does_not_overflow_says_so() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "local", "--demo", "--embedded", "--nodes", "9"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 1
    assert "fewer --nodes" in " ".join(err.decode().split())


async def test_workers_that_cannot_run_are_told_and_not_called_a_success(tmp_path: Path) -> None:
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "python3").chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app", "local", "--demo", "--embedded"),
        env={**os.environ, "PATH": f"{tmp_path}:{os.defpath}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 1
    assert "Traceback" not in err.decode()
