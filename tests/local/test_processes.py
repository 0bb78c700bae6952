import asyncio
import sys
from pathlib import Path

from app.local.processes import Burden, Child
from app.wiring.clock import SystemClock

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


async def wait_for_log(child: Child, text: str) -> None:
    clock = SystemClock()
    while text not in child.log.read_text():
        await clock.sleep(0.02)


async def test_a_program_is_ended_by_sigterm(tmp_path: Path) -> None:
    child = await Child.start("sleeper", ["sleep", "60"], directory=tmp_path)
    await child.stop(clock=SystemClock())
    assert child.exit_code == -15


async def test_a_deaf_program_is_killed(tmp_path: Path) -> None:
    child = await Child.start("deaf", [sys.executable, "-c", STUBBORN], directory=tmp_path)
    await wait_for_log(child, "deaf")
    await child.stop(clock=SystemClock(), grace=0.2)
    assert child.exit_code == -9


async def test_an_obituary_shows_the_end_of_the_log(tmp_path: Path) -> None:
    child = await Child.start("failing", ["sh", "-c", "echo why it died; exit 4"], directory=tmp_path)
    clock = SystemClock()
    while child.exit_code is None:
        await clock.sleep(0.02)
    assert "failing ended with exit code 4" in child.obituary()
    assert "why it died" in child.obituary()
    await child.stop(clock=clock)


async def test_what_a_program_takes_is_told_while_it_runs(tmp_path: Path) -> None:
    script = "list(range(10**6)); print('busy', flush=True); import time; time.sleep(60)"
    child = await Child.start("busy", [sys.executable, "-c", script], directory=tmp_path)
    await wait_for_log(child, "busy")
    burden = child.burden()
    assert burden.peak_mib > 20
    assert burden.cpu_seconds > 0
    await child.stop(clock=SystemClock())
    assert child.burden() == Burden()


PARENT = """
import asyncio, signal, sys
from pathlib import Path
from app.local.processes import Child
async def main():
    await Child.start("orphan", [sys.executable, "-c", sys.argv[2]],
                      directory=Path(sys.argv[1]), orphaned=signal.SIGKILL)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_a_child_that_ignores_requests_to_end_dies_with_a_parent_that_was_killed(
    tmp_path: Path,
) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(tmp_path), STUBBORN)
    log = tmp_path / "orphan.log"
    while not (log.exists() and "deaf" in log.read_text()):
        await SystemClock().sleep(0.05)
    [child] = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    parent.kill()
    await parent.wait()
    while is_alive(child):
        await SystemClock().sleep(0.05)


def is_alive(pid: str) -> bool:
    """A zombie is none: whoever adopts it may take its time."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
