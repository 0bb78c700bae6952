import subprocess
import sys

import pytest

from app.local.fargate.running.guard import Guard
from app.local.fargate.running.sessions import kill_sessions
from tests.local.fargate.fakes import until
from tests.local.fargate.running.test_processes import alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sessions are found in /proc")


def a_session() -> subprocess.Popen[bytes]:
    """A process that leads a session."""
    return subprocess.Popen(["sleep", "600"], start_new_session=True)


async def test_only_the_sessions_that_are_named_are_killed() -> None:
    with a_session() as meant, a_session() as other:
        kill_sessions({meant.pid})
        assert meant.wait() == -9
        assert alive(other.pid)
        other.kill()


async def test_no_session_is_nothing_to_kill() -> None:
    with a_session() as other:
        kill_sessions(())
        assert alive(other.pid)
        other.kill()


async def test_a_guard_kills_at_its_end_what_it_was_not_told_to_forget() -> None:
    guard = Guard()
    guard.open()
    with a_session() as left, a_session() as forgotten:
        guard.watch(left.pid)
        guard.watch(forgotten.pid)
        guard.forget(forgotten.pid)
        guard.close()
        await until(lambda: not alive(left.pid))
        assert alive(forgotten.pid)
        forgotten.kill()


async def test_a_guard_that_was_killed_is_done_without() -> None:
    guard = Guard()
    guard.open()
    assert guard._process is not None
    guard._process.kill()
    guard._process.wait()
    guard.watch(2**31)
    guard.close()
