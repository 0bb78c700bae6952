import asyncio

from app.bridge.launch_queue import LaunchQueue
from tests.fakes import settle


class Launches:
    """Launches that end when the test says so."""

    def __init__(self, slots: int) -> None:
        self.queue = LaunchQueue(slots=slots)
        self.begun: list[str] = []
        self.ends: list[asyncio.Event] = []
        self.tasks: list[asyncio.Task[None]] = []

    def ask(self, *names: str) -> None:
        """Each name is `namespace/pod`."""
        self.tasks += [asyncio.get_running_loop().create_task(self._launch(name)) for name in names]

    async def end_one(self) -> None:
        self.ends.pop(0).set()
        await settle()

    async def _launch(self, name: str) -> None:
        async with self.queue.turn(name.split("/", maxsplit=1)[0]):
            self.begun.append(name)
            end = asyncio.Event()
            self.ends.append(end)
            await end.wait()


async def test_no_more_than_the_slots_launch_at_once() -> None:
    launches = Launches(2)
    launches.ask("a/1", "a/2", "a/3")
    await settle()
    assert (launches.begun, launches.queue.depth) == (["a/1", "a/2"], 1)
    await launches.end_one()
    await launches.end_one()
    await launches.end_one()
    assert launches.begun == ["a/1", "a/2", "a/3"]


async def test_a_burst_of_one_namespace_does_not_starve_another() -> None:
    launches = Launches(1)
    launches.ask("a/1", "a/2", "a/3", "b/1", "c/1")
    await settle()
    for _ in launches.tasks:
        await launches.end_one()
    assert launches.begun == ["a/1", "a/2", "b/1", "c/1", "a/3"]


async def test_one_that_gives_up_waiting_costs_no_slot() -> None:
    launches = Launches(1)
    launches.ask("a/1", "a/2", "a/3")
    await settle()
    launches.tasks[1].cancel()
    await settle()
    await launches.end_one()
    await launches.end_one()
    assert launches.begun == ["a/1", "a/3"]


async def test_one_that_is_cancelled_as_its_turn_comes_hands_it_on() -> None:
    launches = Launches(1)
    launches.ask("a/1", "a/2", "a/3")
    await settle()
    launches.ends.pop(0).set()
    await asyncio.sleep(0)
    launches.tasks[1].cancel()
    await settle()
    assert launches.begun[-1] == "a/3"
    await launches.end_one()
