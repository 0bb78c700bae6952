"""What is asked for once, for how long it counts, and what waiters share."""

import asyncio

import pytest

from app.ports.failures import NotFound, Refused, Throttled, Unavailable
from app.registry.images import Memory, RegistryImages
from app.registry.transport import Transport
from tests.fakes import VirtualClock, settle
from tests.registry.fakes import PASSWORD, FakeRegistry, a_config, a_login, an_entry, an_error

MANIFEST = "/v2/app/manifests/1"


async def test_three_hundred_pods_ask_the_registry_once(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.push("app:1")
    asked = [images.config(registry.image("app:1"), architecture="amd64") for _ in range(300)]
    found = await asyncio.gather(*asked)
    assert {each.digest for each in found} == {found[0].digest}
    assert len(registry.asked) == 2


async def test_waiters_share_one_failure(registry: FakeRegistry, images: RegistryImages) -> None:
    asked = [images.config(registry.image("app:1"), architecture="amd64") for _ in range(20)]
    failures = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(each) for each in failures} == {NotFound}
    assert len(registry.asked) == 1


async def test_a_waiter_that_gives_up_leaves_the_answer_to_the_others(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.push("app:1")
    registry.gate.clear()
    first, second = (
        asyncio.create_task(images.config(registry.image("app:1"), architecture="amd64")) for _ in range(2)
    )
    await settle()
    first.cancel()
    await asyncio.wait([first])
    registry.gate.set()
    assert (await second).entry_point == ("/app",)
    assert first.cancelled()
    assert len(registry.asked) == 2


async def test_a_tag_is_not_asked_again_for_some_minutes(
    registry: FakeRegistry, images: RegistryImages, clock: VirtualClock
) -> None:
    registry.push("app:1", content=a_config(Entrypoint=["/old"]))
    await images.config(registry.image("app:1"), architecture="amd64")
    registry.push("app:1", content=a_config(Entrypoint=["/new"]))
    await clock.advance(299)
    found = await images.config(registry.image("app:1"), architecture="amd64")
    assert found.entry_point == ("/old",)


async def test_a_tag_that_moved_is_seen_after_some_minutes(
    registry: FakeRegistry, images: RegistryImages, clock: VirtualClock
) -> None:
    registry.push("app:1", content=a_config(Entrypoint=["/old"]))
    await images.config(registry.image("app:1"), architecture="amd64")
    registry.push("app:1", content=a_config(Entrypoint=["/new"]))
    await clock.advance(301)
    found = await images.config(registry.image("app:1"), architecture="amd64")
    assert found.entry_point == ("/new",)


async def test_a_tag_that_stayed_costs_no_pull(
    registry: FakeRegistry, images: RegistryImages, clock: VirtualClock
) -> None:
    registry.push("app:1")
    await images.config(registry.image("app:1"), architecture="amd64")
    await clock.advance(301)
    await images.config(registry.image("app:1"), architecture="amd64")
    await clock.advance(299)
    await images.config(registry.image("app:1"), architecture="amd64")
    assert (len(registry.paths()), registry.paths("HEAD")) == (2, [MANIFEST])


async def test_a_registry_without_head_is_asked_in_full(
    registry: FakeRegistry, images: RegistryImages, clock: VirtualClock
) -> None:
    registry.push("app:1")
    await images.config(registry.image("app:1"), architecture="amd64")
    await clock.advance(301)
    registry.fault(MANIFEST, an_error(405, "no HEAD here"))
    found = await images.config(registry.image("app:1"), architecture="amd64")
    assert found.entry_point == ("/app",)


async def test_a_tag_that_went_is_not_found_after_some_minutes(
    registry: FakeRegistry, images: RegistryImages, clock: VirtualClock
) -> None:
    registry.push("app:1")
    await images.config(registry.image("app:1"), architecture="amd64")
    registry.remove("app:1")
    await clock.advance(301)
    with pytest.raises(NotFound):
        await images.config(registry.image("app:1"), architecture="amd64")


async def test_a_digest_is_asked_for_once_for_ever(
    registry: FakeRegistry, images: RegistryImages, clock: VirtualClock
) -> None:
    name = registry.image(f"app@{registry.push('app:1')}")
    await images.config(name, architecture="amd64")
    await clock.advance(10_000_000)
    await images.config(name, architecture="amd64")
    assert len(registry.asked) == 2


async def test_two_tags_of_one_digest_fetch_one_configuration(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.push("app:1")
    registry.push("app:2")
    await images.config(registry.image("app:1"), architecture="amd64")
    await images.config(registry.image("app:2"), architecture="amd64")
    assert [path.split("/")[3] for path in registry.paths()] == ["manifests", "blobs", "manifests"]


async def test_each_architecture_has_its_own_answer(registry: FakeRegistry, images: RegistryImages) -> None:
    intel = registry.push("app:intel", content=a_config(Entrypoint=["/intel"]))
    arm = registry.push("app:arm", content={**a_config(Entrypoint=["/arm"]), "architecture": "arm64"})
    registry.push_index("app:1", an_entry(intel), an_entry(arm, platform="linux/arm64"))
    first = await images.config(registry.image("app:1"), architecture="amd64")
    second = await images.config(registry.image("app:1"), architecture="arm64")
    assert (first.entry_point, second.entry_point) == (("/intel",), ("/arm",))


async def test_what_one_namespace_may_see_is_not_shown_to_another(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.auth, registry.public, registry.users = "bearer", False, {"ann": PASSWORD}
    name = registry.image(f"app@{registry.push('app:1')}")
    await images.config(name, architecture="amd64", credentials=(a_login(registry.host),))
    with pytest.raises(Refused):
        await images.config(name, architecture="amd64")


async def test_logins_of_other_registries_do_not_tell_questions_apart(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.push("app:1")
    await images.config(registry.image("app:1"), architecture="amd64")
    await images.config(
        registry.image("app:1"), architecture="amd64", credentials=(a_login("registry.example"),)
    )
    assert len(registry.asked) == 2


async def test_a_failure_is_remembered_for_seconds(
    registry: FakeRegistry, images: RegistryImages, clock: VirtualClock
) -> None:
    registry.push("app:1")
    registry.fault(MANIFEST, an_error(500, "ill"))
    with pytest.raises(Unavailable, match="ill"):
        await images.config(registry.image("app:1"), architecture="amd64")
    await clock.advance(9)
    with pytest.raises(Unavailable, match="ill"):
        await images.config(registry.image("app:1"), architecture="amd64")
    await clock.advance(2)
    found = await images.config(registry.image("app:1"), architecture="amd64")
    assert found.entry_point == ("/app",)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        pytest.param("60", 60, id="as it says"),
        pytest.param("86400", 300, id="no longer than five minutes"),
        pytest.param("0", 10, id="no shorter than any failure"),
        pytest.param("Thu, 01 Jan 2026 13:00:00 GMT", 10, id="a date is no number"),
        pytest.param("", 10, id="unsaid"),
    ],
)
async def test_a_registry_that_asks_for_a_pause_gets_it(
    registry: FakeRegistry, images: RegistryImages, clock: VirtualClock, retry_after: str, seconds: int
) -> None:
    registry.push("app:1")
    registry.fault(MANIFEST, an_error(429, "toomanyrequests", {"Retry-After": retry_after}))
    with pytest.raises(Throttled, match="429 toomanyrequests"):
        await images.config(registry.image("app:1"), architecture="amd64")
    await clock.advance(seconds - 1)
    with pytest.raises(Throttled):
        await images.config(registry.image("app:1"), architecture="amd64")
    await clock.advance(2)
    found = await images.config(registry.image("app:1"), architecture="amd64")
    assert found.entry_point == ("/app",)


async def test_a_remembered_failure_keeps_no_frames_and_answers_alive(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    with pytest.raises(NotFound):
        await images.config(registry.image("app:1"), architecture="amd64")
    assert [each.failure.__traceback__ for each in images._failed._values.values()] == [None]


async def test_the_images_that_nobody_asks_for_are_forgotten(
    registry: FakeRegistry, transport: Transport, clock: VirtualClock
) -> None:
    images = RegistryImages(transport, clock=clock, memory=Memory(images=2))
    registry.push("app:1")
    registry.push("app:2")
    registry.push("app:3")
    await images.config(registry.image("app:1"), architecture="amd64")
    await images.config(registry.image("app:2"), architecture="amd64")
    await images.config(registry.image("app:3"), architecture="amd64")
    await images.config(registry.image("app:3"), architecture="amd64")
    await images.config(registry.image("app:1"), architecture="amd64")
    assert [path.split("/")[-1] for path in registry.paths() if "manifests" in path] == ["1", "2", "3", "1"]


async def test_a_registry_that_dawdles_is_given_up(
    registry: FakeRegistry, transport: Transport, clock: VirtualClock
) -> None:
    images = RegistryImages(transport, clock=clock, memory=Memory(patience=0.05))
    registry.gate.clear()
    with pytest.raises(Unavailable, match="too slow"):
        await images.config(registry.image("app:1"), architecture="amd64")


async def test_whoever_waits_when_the_program_stops_is_told(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.gate.clear()
    waiting = asyncio.create_task(images.config(registry.image("app:1"), architecture="amd64"))
    await settle()
    await images.close()
    with pytest.raises(Unavailable, match="stopping"):
        await waiting


async def test_nothing_is_asked_once_the_transport_is_closed(
    registry: FakeRegistry, images: RegistryImages, transport: Transport
) -> None:
    await transport.close()
    with pytest.raises(Unavailable, match="stopping"):
        await images.config(registry.image("app:1"), architecture="amd64")
