import asyncio
from contextlib import suppress

from structlog.testing import capture_logs

from app.local.cluster.apiserver.api import Api
from app.local.cluster.controllers.manager import ControllerManager
from tests.fakes import VirtualClock


class Fragile:
    """A controller that breaks in its first run."""

    def __init__(self) -> None:
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        if self.runs == 1:
            raise KeyError("spec")
        await asyncio.Event().wait()


async def test_a_controller_that_breaks_is_told_and_begins_anew_and_the_others_go_on() -> None:
    clock = VirtualClock()
    manager = ControllerManager(Api(clock=clock, ids=lambda: "uid"), clock=clock)
    fragile, steady = Fragile(), Fragile()
    steady.runs = 1
    manager._controllers = (fragile, steady)
    with capture_logs() as told:
        running = asyncio.create_task(manager.run())
        await clock.advance(5)
    assert (fragile.runs, steady.runs, running.done()) == (2, 2, False)
    assert [(each["log_level"], each["controller"]) for each in told] == [("error", "Fragile")]
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
