"""The interface that controllers use inside the process."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from app.local.cluster.apiserver.api import Api, ApiError, Object, thaw
from app.local.cluster.apiserver.deletion import Deletion
from app.local.cluster.apiserver.request_bodies import Options
from app.local.cluster.apiserver.resources import BY_PLURAL
from app.local.cluster.apiserver.webhook_admission import PendingWrite, WebhookAdmission
from app.local.cluster.apiserver.write_path import Writes
from tests.fakes import VirtualClock
from tests.local.cluster.apiserver.fakes import config_map, pod, take


async def test_a_watch_begins_with_what_is_there(api: Api) -> None:
    await api.create("pods", "default", pod("a"))
    await api.create("pods", "default", pod("b"))

    async with aclosing(api.watch("pods")) as events:  # type: ignore[type-var]  # an async generator
        first = await take(2, events)
        await api.create("pods", "default", pod("c"))
        second = await take(1, events)

    assert [(each.type, each.object["metadata"]["name"]) for each in first + second] == [
        ("ADDED", "a"),
        ("ADDED", "b"),
        ("ADDED", "c"),
    ]


async def test_a_watch_from_a_version_misses_nothing(api: Api) -> None:
    since = int((await api.create("pods", "default", pod("a")))["metadata"]["resourceVersion"])
    await api.patch("pods", "default", "a", {"metadata": {"labels": {"x": "y"}}}, kind="merge")
    await api.delete("pods", "default", "a")

    async with aclosing(api.watch("pods", since=since)) as events:  # type: ignore[type-var]  # an async generator
        assert [each.type for each in await take(3, events)] == ["MODIFIED", "MODIFIED", "DELETED"]


async def test_a_watch_wakes_up_for_a_change(api: Api) -> None:
    async with aclosing(api.watch("configmaps")) as events:  # type: ignore[type-var]  # an async generator
        waiting = asyncio.create_task(take(1, events))
        await asyncio.sleep(0)
        await api.create("configmaps", "default", config_map())

        assert [each.object["metadata"]["name"] for each in await waiting] == ["cm"]


async def test_a_watch_of_one_namespace_leaves_the_others_out(api: Api) -> None:
    await api.create("namespaces", "", {"metadata": {"name": "shop"}})
    await api.create("pods", "default", pod("a"))
    await api.create("pods", "shop", pod("b"))

    async with aclosing(api.watch("pods", "shop")) as events:  # type: ignore[type-var]  # an async generator
        assert [each.object["metadata"]["name"] for each in await take(1, events)] == ["b"]


async def test_a_watch_ends_when_the_cluster_stops(api: Api) -> None:
    waiting = asyncio.create_task(take(1, api.watch("configmaps")))
    await asyncio.sleep(0)
    api.store.close()

    with pytest.raises(StopAsyncIteration):
        await waiting


async def test_an_unknown_field_is_refused_inside_the_process(api: Api) -> None:
    with pytest.raises(ApiError, match=r'strict decoding error: unknown field "spec.colour"'):
        await api.create("pods", "default", pod(colour="red"))


async def test_what_is_given_is_not_changed(api: Api) -> None:
    body = pod()
    copy = thaw(body)
    await api.create("pods", "default", body)

    assert body == copy


async def test_an_unknown_resource_is_not_found(api: Api) -> None:
    with pytest.raises(ApiError, match="could not find the requested resource"):
        api.list("foos")


async def test_a_binding_of_another_uid_conflicts(api: Api) -> None:
    await api.create("pods", "default", pod())

    with pytest.raises(ApiError) as refusal:
        await api.bind("default", "web", "node", uid="another")
    assert refusal.value.status_code == 409


async def test_a_terminating_pod_cannot_be_bound(api: Api) -> None:
    body = pod()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await api.create("pods", "default", body)
    await api.delete("pods", "default", "web")

    with pytest.raises(ApiError, match="is being deleted"):
        await api.bind("default", "web", "node")


async def test_the_deletion_timestamp_is_when_the_grace_ends(api: Api, clock: VirtualClock) -> None:
    await api.create("pods", "default", pod(nodeName="n"))
    await clock.advance(60)

    metadata = (await api.delete("pods", "default", "web"))["metadata"]

    assert metadata["creationTimestamp"] == "2026-01-01T12:00:00Z"
    assert metadata["deletionTimestamp"] == "2026-01-01T12:01:30Z"


async def test_dependents_are_orphaned_where_that_is_asked_for(api: Api) -> None:
    owner = (await api.create("configmaps", "default", config_map("owner")))["metadata"]["uid"]
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner}
    await api.create("configmaps", "default", config_map("owned", ownerReferences=[reference]))

    await api.delete("configmaps", "default", "owner", propagation="Orphan")

    assert not api.get("configmaps", "default", "owned")["metadata"]["ownerReferences"]


async def test_nothing_new_comes_into_a_namespace_that_ends(api: Api) -> None:
    await api.create("pods", "default", pod(nodeName="n"))
    await api.delete("namespaces", "", "default")

    with pytest.raises(ApiError, match="because it is being terminated") as refusal:
        await api.create("configmaps", "default", config_map())
    assert refusal.value.status_code == 403


async def test_a_namespace_ends_with_its_last_object(api: Api) -> None:
    await api.create("pods", "default", pod(nodeName="n"))
    await api.delete("namespaces", "", "default")
    await api.delete("pods", "default", "web", grace_seconds=0)

    assert api.list("namespaces") == []


class Interfering(WebhookAdmission):
    """Admission during which somebody else changes the object, once."""

    def __init__(self, api: Api) -> None:
        super().__init__(api.store, ids=lambda: "uid", services={})
        self._api = api
        self._interfered = False

    async def admit(self, write: PendingWrite, *, warnings: list[str]) -> Object:
        if not self._interfered:
            self._interfered = True
            patch = {"data": {"theirs": "1"}}
            await self._api.patch("configmaps", "default", "cm", patch, kind="merge")
        return write.new


def interrupted(api: Api, clock: VirtualClock) -> Writes:
    return Writes(
        api.store,
        schema=api.schema,
        clock=clock,
        ids=lambda: "uid",
        admission=Interfering(api),
        deletion=Deletion(api.store, clock=clock),
    )


async def test_a_patch_that_another_write_overtook_is_computed_again(api: Api, clock: VirtualClock) -> None:
    await api.create("configmaps", "default", config_map())
    patch: dict[str, Any] = {"data": {"ours": "1"}}
    key = ("default", "cm")

    patched, _ = await interrupted(api, clock).patch(
        BY_PLURAL["configmaps"], key, patch, Options(), kind="merge"
    )

    assert patched["data"] == {"ours": "1", "theirs": "1"}


async def test_a_replacement_that_another_write_overtook_conflicts(api: Api, clock: VirtualClock) -> None:
    body = await api.create("configmaps", "default", config_map())

    with pytest.raises(ApiError) as refusal:
        await interrupted(api, clock).update(
            BY_PLURAL["configmaps"], ("default", "cm"), thaw(body) | {"data": {"ours": "1"}}, Options()
        )
    assert refusal.value.status_code == 409
    assert api.get("configmaps", "default", "cm")["data"] == {"theirs": "1"}
