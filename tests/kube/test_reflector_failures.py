from collections.abc import Callable

import pytest

from app.kube.answers import Expired
from app.kube.reflector import QUIET_SECONDS
from app.model.names import PodUid
from app.ports.failures import PortFailure, Refused, Throttled, Unavailable
from tests.builders import wire
from tests.fakes import settle
from tests.kube.fakes import FakeWatch, a_list, at_version
from tests.kube.scene import ONE, SAME, TWO, Scene, Synced


async def test_watches_that_end_at_once_do_not_spin(synced: Synced) -> None:
    scene, watch = synced
    endings = [scene.server.watch() for _ in range(50)]
    scene.server.answer(*([SAME] * 50))
    for each in (watch, *endings):
        each.end()
    await scene.clock.advance(20)
    assert len(scene.watches_asked()) == 5


def expired(watch: FakeWatch) -> None:
    watch.event("ERROR", {"code": 410, "reason": "Expired", "message": "too old"})


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(expired, id="as an event"),
        pytest.param(lambda watch: watch.fail(Expired("410")), id="as an answer"),
    ],
)
async def test_too_old_a_version_lists_again_and_tells_the_difference(
    synced: Synced, end: Callable[[FakeWatch], None]
) -> None:
    scene, watch = synced
    scene.server.answer(a_list(TWO, version="50"))
    end(watch)
    await scene.clock.advance(2)
    assert scene.heard == [(ONE, None), (None, TWO)]
    assert scene.watches_asked() == ["10", "50"]


async def test_a_version_that_expired_while_the_server_was_down_is_listed_again_at_once(
    synced: Synced,
) -> None:
    scene, watch = synced
    watch.fail(Unavailable("reset"))
    scene.server.answer(*([Unavailable("refused")] * 3), a_list(version="50"), a_list(TWO, version="50"))
    scene.server.watch(Expired("410"))
    await scene.clock.advance(1 + 2 + 4 + 8)
    assert scene.heard == [(ONE, None), (None, TWO)]


async def test_listings_that_expire_at_once_do_not_spin(synced: Synced) -> None:
    scene, watch = synced
    scene.server.answer(*([a_list(ONE)] * 50))
    scene.server.watch(*([Expired("410")] * 50))
    expired(watch)
    await scene.clock.advance(20)
    assert scene.lists_asked() == 5


async def test_a_pod_made_anew_between_listings_is_an_end_and_a_beginning(synced: Synced) -> None:
    scene, watch = synced
    anew = at_version(ONE, "40", uid=PodUid("u9"))
    scene.server.answer(a_list(anew, version="50"))
    expired(watch)
    await scene.clock.advance(2)
    assert scene.heard == [(ONE, None), (None, anew)]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(Unavailable("reset"), id="connection lost"),
        pytest.param(Throttled("429"), id="throttled"),
        pytest.param(Refused("403"), id="permission taken away"),
    ],
)
async def test_a_broken_watch_goes_on_from_the_last_version_without_a_listing(
    synced: Synced, failure: PortFailure
) -> None:
    scene, watch = synced
    watch.event("ADDED", at_version(TWO, "11"))
    watch.fail(failure)
    scene.server.answer(a_list(version="11"))
    await scene.clock.advance(2)
    assert scene.watches_asked() == ["10", "11"]
    assert (scene.lists_asked(), scene.pods.get("shop/one")) == (1, ONE)


async def test_a_line_that_was_cut_off_breaks_the_watch_and_nothing_is_lost(synced: Synced) -> None:
    scene, watch = synced
    watch.line(b'{"type":"ADDED","object":{"metad')
    scene.server.answer(SAME)
    second = scene.server.watch()
    await scene.clock.advance(2)
    second.event("ADDED", TWO)
    await settle()
    assert scene.watches_asked() == ["10", "10"]
    assert scene.heard == [(None, TWO)]


async def test_a_server_that_is_down_is_asked_ever_more_rarely(scene: Scene) -> None:
    scene.server.answer(*([Unavailable("connection refused")] * 100))
    async with scene.running():
        await scene.clock.advance(1 + 2 + 4 + 8 + 16)
        assert scene.lists_asked() == 1 + 5
        await scene.clock.advance(300)
        assert scene.lists_asked() == 1 + 5 + 30


async def test_after_a_good_watch_the_first_wait_is_short_again(scene: Scene) -> None:
    scene.server.answer(*([Unavailable("connection refused")] * 5), a_list(ONE))
    watch = scene.server.watch()
    async with scene.running():
        await scene.clock.advance(31)
        scene.server.answer(SAME)
        watch.event("ADDED", TWO)
        watch.fail(Unavailable("reset"))
        await scene.clock.advance(1)
        assert len(scene.watches_asked()) == 2


async def test_a_watch_that_says_nothing_is_dropped_and_opened_again(synced: Synced) -> None:
    scene, watch = synced
    await scene.clock.advance(QUIET_SECONDS - 1)
    assert not watch.closed
    scene.server.answer(SAME)
    await scene.clock.advance(2)
    assert watch.closed
    assert scene.watches_asked() == ["10", "10"]


async def test_a_silent_watch_is_given_the_time_that_the_server_was_asked_to_keep_it(synced: Synced) -> None:
    scene, _ = synced
    assert scene.server.asks("WATCH")[0].query["timeoutSeconds"] < QUIET_SECONDS


async def test_a_bookmark_is_a_sign_of_life(synced: Synced) -> None:
    scene, watch = synced
    await scene.clock.advance(QUIET_SECONDS - 1)
    watch.event("BOOKMARK", {"metadata": {"resourceVersion": "11"}})
    await scene.clock.advance(QUIET_SECONDS - 1)
    assert not watch.closed


async def test_a_server_that_went_back_in_time_is_listed_again(synced: Synced) -> None:
    scene, watch = synced
    watch.fail(Unavailable("reset"))
    scene.server.answer(a_list(version="3"), a_list(version="3"))
    await scene.clock.advance(2)
    assert scene.heard == [(ONE, None)]
    assert scene.watches_asked() == ["10", "3"]


async def test_an_object_that_a_listing_cannot_read_is_not_taken_for_gone(synced: Synced) -> None:
    scene, watch = synced
    scene.server.answer({**SAME, "items": [{**wire(at_version(ONE, "11")), "spec": 7}]})
    expired(watch)
    await scene.clock.advance(2)
    assert scene.heard == []
    assert scene.pods.get("shop/one") == ONE


async def test_each_failure_is_counted(synced: Synced) -> None:
    scene, watch = synced
    watch.fail(Unavailable("reset"))
    scene.server.answer(Unavailable("refused"), SAME)
    scene.server.watch()
    await scene.clock.advance(1 + 2)
    assert scene.counted("failures") == 2


async def test_a_watch_that_the_server_ends_is_no_failure(synced: Synced) -> None:
    scene, watch = synced
    await scene.clock.advance(30)
    scene.server.answer(SAME)
    scene.server.watch()
    watch.end()
    await settle()
    assert scene.counted("failures") is None
