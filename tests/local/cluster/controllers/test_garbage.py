import pytest

from app.local.cluster.apiserver.api import Object
from app.local.cluster.controllers.ownership import Collect, Keep, Release, Verdict, verdict
from tests.local.cluster.controllers.fakes import World

FIRST, SECOND = ({"kind": "ConfigMap", "name": name, "uid": f"uid-of-{name}"} for name in ("a", "b"))


@pytest.mark.parametrize(
    ("references", "absent", "expected"),
    [
        pytest.param([], set(), Keep(), id="never-owned"),
        pytest.param([FIRST], set(), Keep(), id="owner-is-there"),
        pytest.param([FIRST, SECOND], {"uid-of-a"}, Release((SECOND,)), id="one-owner-left"),
        pytest.param([FIRST, SECOND], {"uid-of-a", "uid-of-b"}, Collect(), id="none-left"),
    ],
)
def test_an_object_goes_with_its_last_owner(
    references: list[Object], absent: set[str], expected: Verdict
) -> None:
    assert verdict(references, absent=absent) == expected


async def owned_config(world: World, name: str, *owners: Object) -> None:
    body = {"metadata": {"name": name, "ownerReferences": list(owners)}}
    await world.api.create("configmaps", "default", body)


def reference_to(owner: Object) -> Object:
    metadata = owner["metadata"]
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": metadata["name"], "uid": metadata["uid"]}


def configs(world: World) -> list[str]:
    return [each["metadata"]["name"] for each in world.api.list("configmaps", "default")]


async def test_a_dependent_made_after_its_owner_went_is_collected(world: World) -> None:
    owner = await world.api.create("configmaps", "default", {"metadata": {"name": "owner"}})
    await world.api.delete("configmaps", "default", "owner")
    await owned_config(world, "late", reference_to(owner))
    await world.quiet()
    assert "late" not in configs(world)


async def test_an_owner_of_the_same_name_but_another_uid_is_another(world: World) -> None:
    owner = await world.api.create("configmaps", "default", {"metadata": {"name": "owner"}})
    await owned_config(world, "child", reference_to(owner))
    await world.api.delete("configmaps", "default", "owner")
    await world.api.create("configmaps", "default", {"metadata": {"name": "owner"}})
    await world.quiet()
    assert "child" not in configs(world)


async def test_a_second_owner_keeps_the_object_and_the_first_reference_goes(world: World) -> None:
    first = await world.api.create("configmaps", "default", {"metadata": {"name": "first"}})
    second = await world.api.create("configmaps", "default", {"metadata": {"name": "second"}})
    await owned_config(world, "child", reference_to(first), reference_to(second))
    await world.quiet()
    await world.api.delete("configmaps", "default", "first")
    await world.quiet()
    left = world.api.get("configmaps", "default", "child")["metadata"]["ownerReferences"]
    assert [each["name"] for each in left] == ["second"]


async def test_an_owner_of_an_unknown_kind_is_given_the_benefit_of_the_doubt(world: World) -> None:
    owner = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "w", "uid": "uid-w"}
    await owned_config(world, "child", owner)
    await world.quiet()
    assert "child" in configs(world)
