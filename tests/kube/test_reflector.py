import asyncio

import msgspec
from prometheus_client import CollectorRegistry

from app.kube.metrics import WatchMetrics
from app.kube.paths import NODES, PODS
from app.kube.reflector import Reflector
from app.model.node import Node
from app.model.pod import Pod
from tests.builders import a_node, wire
from tests.fakes import VirtualClock, settle
from tests.kube.fakes import FakeTransport, a_list, at_version
from tests.kube.scene import ONE, TWO, Scene, Synced


async def test_the_listing_is_heard_and_kept(scene: Scene) -> None:
    scene.server.answer(a_list(ONE, TWO))
    async with scene.running():
        await scene.pods.synced()
        assert scene.pods.all() == (ONE, TWO)
        assert scene.heard == [(None, ONE), (None, TWO)]


async def test_nothing_is_synced_before_the_last_page(scene: Scene) -> None:
    scene.server.answer(a_list(ONE, token="more"))
    async with scene.running():
        waiting = asyncio.ensure_future(scene.pods.synced())
        await settle()
        assert (waiting.done(), scene.pods.all()) == (False, ())
        waiting.cancel()


async def test_the_watch_starts_where_the_listing_ended(synced: Synced) -> None:
    scene, _ = synced
    assert scene.server.asks("WATCH")[0].query == {
        "fieldSelector": "spec.nodeName=n",
        "watch": True,
        "allowWatchBookmarks": True,
        "resourceVersion": "10",
        "timeoutSeconds": 120,
    }


async def test_an_addition_is_heard_and_kept(synced: Synced) -> None:
    scene, watch = synced
    watch.event("ADDED", TWO)
    await settle()
    assert scene.heard == [(None, TWO)]
    assert scene.pods.get("shop/two") == TWO
    assert scene.pods.all() == (ONE, TWO)


async def test_a_change_is_heard_with_the_state_before(synced: Synced) -> None:
    scene, watch = synced
    later = at_version(ONE, "11")
    watch.event("MODIFIED", later)
    await settle()
    assert scene.heard == [(ONE, later)]
    assert scene.pods.get("shop/one") == later


async def test_a_deletion_is_heard_and_forgotten(synced: Synced) -> None:
    scene, watch = synced
    watch.event("DELETED", at_version(ONE, "11"))
    await settle()
    assert scene.heard == [(ONE, None)]
    assert scene.pods.all() == ()


async def test_an_event_told_twice_is_heard_once(synced: Synced) -> None:
    scene, watch = synced
    watch.event("ADDED", ONE)
    watch.event("DELETED", TWO)
    await settle()
    assert scene.heard == []


async def test_objects_without_a_namespace_are_kept_by_name() -> None:
    server = FakeTransport(a_list(a_node("ec2-0")))
    nodes = Reflector(
        server,
        path=NODES,
        decode=Node,
        clock=VirtualClock(),
        jitter=lambda: 0.0,
        metrics=WatchMetrics(CollectorRegistry()),
    )
    running = asyncio.ensure_future(nodes.run())
    await nodes.synced()
    assert nodes.get("ec2-0") == a_node("ec2-0")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_watch_that_the_server_ends_goes_on_at_once_without_a_listing(synced: Synced) -> None:
    scene, watch = synced
    watch.event("ADDED", at_version(TWO, "11"))
    await scene.clock.advance(30)
    scene.server.answer(a_list(version="11"))
    second = scene.server.watch()
    watch.end()
    await settle()
    second.event("DELETED", at_version(TWO, "12"))
    await settle()
    assert scene.watches_asked() == ["10", "11"]
    assert scene.lists_asked() == 1
    assert scene.pods.all() == (ONE,)


async def test_a_bookmark_moves_the_version_and_nobody_hears_of_it(synced: Synced) -> None:
    scene, watch = synced
    watch.event("BOOKMARK", {"metadata": {"resourceVersion": "99"}})
    await scene.clock.advance(30)
    scene.server.answer(a_list(version="99"))
    watch.end()
    await settle()
    assert scene.watches_asked() == ["10", "99"]
    assert scene.heard == []


def raising(before: Pod | None, after: Pod | None) -> None:
    raise LookupError("a bug in a listener")


async def test_a_listener_that_raises_is_a_matter_of_its_own(synced: Synced) -> None:
    scene, watch = synced
    later: list[Pod | None] = []
    scene.pods.on_change(raising)
    scene.pods.on_change(lambda _, after: later.append(after))
    watch.event("ADDED", TWO)
    watch.event("DELETED", TWO)
    await settle()
    assert later == [TWO, None]


async def test_an_object_that_cannot_be_read_is_skipped_and_the_watch_goes_on(synced: Synced) -> None:
    scene, watch = synced
    watch.event("MODIFIED", {**wire(at_version(ONE, "11")), "spec": 7})
    watch.event("ADDED", TWO)
    await settle()
    assert scene.heard == [(None, TWO)]
    assert scene.pods.get("shop/one") == ONE
    assert scene.counted("unreadable") == 1


async def test_stopping_closes_the_watch(scene: Scene) -> None:
    scene.server.answer(a_list(ONE))
    watch = scene.server.watch()
    async with scene.running():
        assert not watch.closed
    assert watch.closed


async def test_five_thousand_objects_are_heard_one_by_one_once(scene: Scene) -> None:
    crowd = [
        msgspec.structs.replace(ONE, metadata=msgspec.structs.replace(ONE.metadata, name=f"p{i}"))
        for i in range(5000)
    ]
    scene.server.answer(a_list(*crowd))
    async with scene.running():
        await settle(200)
        assert len(scene.heard) == len(scene.pods.all()) == 5000


async def test_nothing_more_is_kept_or_told_of_an_object_than_its_owner_wants() -> None:
    def named(pod: Pod) -> Pod:
        return Pod(metadata=pod.metadata)

    server, heard = FakeTransport(a_list(ONE)), list[tuple[Pod | None, Pod | None]]()
    pods = Reflector(
        server,
        path=PODS,
        decode=Pod,
        clock=VirtualClock(),
        jitter=lambda: 0.0,
        metrics=WatchMetrics(CollectorRegistry()),
        keep=named,
    )
    pods.on_change(lambda before, after: heard.append((before, after)))
    watch, running = server.watch(), asyncio.ensure_future(pods.run())
    await settle()
    watch.event("ADDED", TWO)
    await settle()
    assert pods.all() == (named(ONE), named(TWO))
    assert heard == [(None, named(ONE)), (None, named(TWO))]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
