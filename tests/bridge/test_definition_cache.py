import asyncio

import pytest

from app.bridge.definition_cache import MOST_FAMILIES, DefinitionCache
from app.model.task import Definition
from app.ports.failures import Refused
from tests.bridge.door import Door
from tests.bridge.fake_ecs import FakeEcs
from tests.fakes import VirtualClock

DEFINITION = Definition(family="spillway-a", body={})


async def test_many_at_once_register_one_definition() -> None:
    door = Door()
    cache = DefinitionCache(FakeEcs(door, VirtualClock()))
    arns = await asyncio.gather(*(cache.arn_of(DEFINITION) for _ in range(50)))
    assert (set(arns), door.calls) == ({"arn:spillway-a:1"}, ["find", "register"])


async def test_what_is_registered_already_is_only_found() -> None:
    door = Door()
    ecs = FakeEcs(door, VirtualClock())
    ecs.definitions["spillway-a"] = DEFINITION
    await DefinitionCache(ecs).arn_of(DEFINITION)
    assert door.calls == ["find"]


async def test_a_forgotten_family_is_asked_for_again() -> None:
    door = Door()
    cache = DefinitionCache(FakeEcs(door, VirtualClock()))
    await cache.arn_of(DEFINITION)
    cache.forget("spillway-a", "arn:spillway-a:1")
    await cache.arn_of(DEFINITION)
    assert door.calls == ["find", "register", "find"]


async def test_a_failure_is_not_kept() -> None:
    door = Door()
    door.failures["register"] = [Refused("no")]
    cache = DefinitionCache(FakeEcs(door, VirtualClock()))
    with pytest.raises(Refused):
        await cache.arn_of(DEFINITION)
    assert await cache.arn_of(DEFINITION) == "arn:spillway-a:1"


async def test_what_was_not_used_for_long_is_forgotten() -> None:
    door = Door()
    cache = DefinitionCache(FakeEcs(door, VirtualClock()))
    await cache.arn_of(DEFINITION)
    for number in range(MOST_FAMILIES):
        await cache.arn_of(Definition(family=f"spillway-{number}", body={}))
    door.calls.clear()
    await cache.arn_of(DEFINITION)
    assert door.calls == ["find"]


async def test_what_is_used_is_kept() -> None:
    door = Door()
    cache = DefinitionCache(FakeEcs(door, VirtualClock()))
    for number in range(MOST_FAMILIES):
        await cache.arn_of(DEFINITION)
        await cache.arn_of(Definition(family=f"spillway-{number}", body={}))
    door.calls.clear()
    await cache.arn_of(DEFINITION)
    assert door.calls == []
