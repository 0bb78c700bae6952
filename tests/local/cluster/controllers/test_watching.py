import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from app.local.cluster.apiserver.api import Api, ApiError, WatchEvent
from app.local.cluster.controllers.watching import changes
from tests.fakes import VirtualClock, settle


@pytest.fixture
async def api() -> Api:
    numbers = iter(range(1, 1000))
    made = Api(clock=VirtualClock(), ids=lambda: f"uid-{next(numbers)}", keep=4)
    await made.create("namespaces", "", {"metadata": {"name": "default"}})
    return made


async def add(api: Api, name: str) -> None:
    await api.create("secrets", "default", {"metadata": {"name": name}})


async def test_a_watch_that_fell_behind_begins_anew_and_tells_what_went(api: Api) -> None:
    clock = VirtualClock()
    told: list[tuple[str, str]] = []
    go_on = asyncio.Event()

    async def consume() -> None:
        async for event in changes(api, "secrets", clock=clock):
            told.append((event.type, event.object["metadata"]["name"]))
            await go_on.wait()

    await add(api, "doomed")
    consumer = asyncio.create_task(consume())
    await settle()
    await api.delete("secrets", "default", "doomed")
    for number in range(8):
        await add(api, f"later-{number}")
    go_on.set()
    await clock.advance(1)
    consumer.cancel()
    with suppress(asyncio.CancelledError):
        await consumer
    assert told[:2] == [("ADDED", "doomed"), ("DELETED", "doomed")]
    assert {name for kind, name in told if kind == "ADDED"} == {"doomed", *(f"later-{n}" for n in range(8))}


async def test_what_is_there_comes_first_and_then_what_changes(api: Api) -> None:
    await add(api, "first")
    watch = changes(api, "secrets", clock=VirtualClock())
    events = [await anext(watch)]
    await add(api, "second")
    await api.delete("secrets", "default", "first")
    events += [await anext(watch), await anext(watch)]
    assert [(each.type, each.object["metadata"]["name"]) for each in events] == [
        ("ADDED", "first"),
        ("ADDED", "second"),
        ("DELETED", "first"),
    ]


class Failing(Api):
    """Refuses its first watch."""

    refusal = ApiError(500, "InternalError", "no such luck")
    refusals = 1

    async def watch(
        self, resource: str, namespace: str = "", *, since: int | None = None
    ) -> AsyncIterator[WatchEvent]:
        if self.refusals:
            self.refusals -= 1
            raise self.refusal
        async for event in super().watch(resource, namespace, since=since):
            yield event


@pytest.mark.parametrize(
    ("status", "told"),
    [
        pytest.param(410, [], id="too-slow-is-ordinary"),
        pytest.param(500, ["watch broke and begins anew"], id="anything-else-is-told"),
    ],
)
async def test_a_refused_watch_begins_anew(status: int, told: list[str]) -> None:
    clock = VirtualClock()
    api = Failing(clock=clock, ids=lambda: "uid")
    api.refusal = ApiError(status, "", "no such luck")
    await api.create("namespaces", "", {"metadata": {"name": "default"}})
    with capture_logs() as logged:
        first = asyncio.ensure_future(anext(changes(api, "namespaces", clock=clock)))
        await clock.advance(1)
    assert (await first).object["metadata"]["name"] == "default"
    assert [each["event"] for each in logged] == told
