"""At no moment does a client meet a leaf that it does not believe, whatever happens to our objects."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.issuer.config import IssuerConfig
from app.ports.failures import Conflict, PortFailure, Refused, Throttled, Unavailable
from tests.builders import NOON
from tests.issuer.clients import Clients, doubt
from tests.issuer.fakes import CA, CONFIG, TLS, Scene
from tests.issuer.material import a_ca, a_leaf, an_odd_ca, ca_data

BRISK = msgspec.structs.replace(
    CONFIG,
    leaf_validity=timedelta(seconds=120),
    renew_before=timedelta(seconds=60),
    ca_validity=timedelta(seconds=800),
    propagation=timedelta(seconds=30),
)
SLOWER = msgspec.structs.replace(
    BRISK,
    leaf_validity=timedelta(seconds=1200),
    renew_before=timedelta(seconds=600),
    ca_validity=timedelta(seconds=6000),
)
"""Leaves that do not end while one mishap follows another."""

LATE = (0.0, 10.0, 25.0)


@asynccontextmanager
async def running(scene: Scene, *, issuers: int = 1) -> AsyncIterator[None]:
    several = [scene.issuer, *(scene.another() for _ in range(issuers - 1))]
    tasks = [asyncio.create_task(each.run()) for each in several]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def delete_ca(scene: Scene) -> None:
    scene.store.secrets.pop(CA, None)


def delete_both(scene: Scene) -> None:
    delete_ca(scene)
    scene.store.secrets.pop(TLS, None)


def mix_up_the_key(scene: Scene) -> None:
    scene.store.edit(CA, ca_key=a_ca().key_pem)


def restore_another_ca(scene: Scene) -> None:
    scene.store.put(CA, ca_data(a_ca("backup", made=scene.clock.now(), life=BRISK.ca_validity)))


def put_a_ca_of_another_purpose(scene: Scene) -> None:
    scene.store.put(CA, ca_data(an_odd_ca(curve=ec.SECP256K1(), made=scene.clock.now())))


def lose_the_leafs_key(scene: Scene) -> None:
    scene.store.edit(TLS, tls_key=None)


def half_a_successor(scene: Scene) -> None:
    scene.store.edit(CA, next_crt=a_ca().cert_pem)


def forget_since_when(scene: Scene) -> None:
    scene.store.put(TLS, scene.store.data(TLS))


def write_all_anew(scene: Scene) -> None:
    """As `helm upgrade --force` does it: each object as it was rendered."""
    scene.store.put(CA, {})
    scene.store.put(TLS, {})
    reset_the_webhook(scene)


def reset_the_webhook(scene: Scene) -> None:
    scene.store.register(b"", b"")


def uninstall_the_webhook(scene: Scene) -> None:
    scene.store.registration = None


MISHAPS: list[Callable[[Scene], None]] = [
    delete_ca,
    delete_both,
    mix_up_the_key,
    restore_another_ca,
    put_a_ca_of_another_purpose,
    lose_the_leafs_key,
    half_a_successor,
    forget_since_when,
    reset_the_webhook,
    write_all_anew,
]


def a_scene(config: IssuerConfig = SLOWER) -> Scene:
    scene = Scene(config)
    scene.store.register(b"", b"")
    return scene


async def test_through_the_life_of_two_cas_everybody_believes_every_leaf() -> None:
    scene = a_scene(BRISK)
    clients = Clients(scene, kubelets_late=LATE, scheduler_restarts=30)
    async with running(scene):
        await clients.live(1700)
    assert clients.doubts == []
    assert len(clients.leaves) > 20
    assert scene.metric("spillway_issuer_writes_total", command="Promote") == 2


async def test_a_scheduler_that_never_restarts_believes_until_the_successor_signs() -> None:
    scene = a_scene(BRISK)
    clients = Clients(scene, kubelets_late=LATE, scheduler_restarts=700)
    async with running(scene):
        await clients.live(690)
    assert clients.doubts == []


@pytest.mark.parametrize("mishap", [*MISHAPS, uninstall_the_webhook])
async def test_a_mishap_is_mended_and_nobody_doubts(mishap: Callable[[Scene], None]) -> None:
    scene = a_scene()
    clients = Clients(scene, kubelets_late=LATE)
    async with running(scene):
        await clients.live(50)
        mishap(scene)
        await clients.live(250)
    assert clients.doubts == []
    assert scene.metric("spillway_issuer_flaws") == float(mishap is uninstall_the_webhook)
    assert sorted(scene.store.data(CA)) == ["ca.crt", "ca.key"]
    assert sorted(scene.store.data(TLS)) == ["ca.crt", "tls.crt", "tls.key"]


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(range(len(MISHAPS))), st.sampled_from([15.0, 35.0, 70.0, 300.0])),
        max_size=5,
    ),
    issuers=st.integers(min_value=1, max_value=3),
)
@settings(max_examples=25)
def test_no_sequence_of_mishaps_makes_anybody_doubt(steps: list[tuple[int, float]], issuers: int) -> None:
    async def play() -> list[str]:
        scene = a_scene()
        clients = Clients(scene, kubelets_late=LATE)
        async with running(scene, issuers=issuers):
            await clients.live(50)
            for number, seconds in steps:
                MISHAPS[number](scene)
                await clients.live(seconds)
        return clients.doubts

    assert asyncio.run(play()) == []


@pytest.mark.parametrize("away_until", [630, 660, 690])
async def test_an_issuer_that_was_away_while_its_ca_grew_old_catches_up_and_nobody_doubts(
    away_until: int,
) -> None:
    config = msgspec.structs.replace(BRISK, leaf_validity=timedelta(seconds=790))
    scene = a_scene(config)
    clients = Clients(scene, kubelets_late=LATE, scheduler_restarts=20)
    async with running(scene):
        await clients.live(50)
    await clients.live(away_until - 50)
    async with running(scene):
        await clients.live(1500 - away_until)
    assert clients.doubts == []
    assert scene.metric("spillway_issuer_writes_total", command="Promote") == 2


async def killed_and_started_again(scene: Scene) -> None:
    while True:
        await asyncio.gather(scene.another().run(), return_exceptions=True)
        await scene.clock.sleep(3)


@pytest.mark.parametrize("mishap", [delete_ca, mix_up_the_key, lose_the_leafs_key, reset_the_webhook])
async def test_an_issuer_that_is_killed_after_each_write_gets_there_and_nobody_doubts(
    mishap: Callable[[Scene], None],
) -> None:
    scene = a_scene()
    scene.store.kills_writers = True
    clients = Clients(scene, kubelets_late=LATE)
    several = [asyncio.create_task(killed_and_started_again(scene)) for _ in range(2)]
    await clients.live(100)
    mishap(scene)
    await clients.live(300)
    for each in several:
        each.cancel()
    await asyncio.gather(*several, return_exceptions=True)
    assert clients.doubts == []
    assert sorted(scene.store.data(CA)) == ["ca.crt", "ca.key"]
    assert set(scene.store.bundles()) == {scene.store.data(CA)["ca.crt"]}


async def test_while_the_api_server_is_away_the_leaf_that_is_served_is_believed() -> None:
    scene = a_scene()
    clients = Clients(scene, kubelets_late=LATE)
    async with running(scene):
        await clients.live(50)
        delete_ca(scene)
        await clients.live(5)
        scene.secrets.failure = Unavailable("no answer")
        await clients.live(40)
        scene.secrets.failure = None
        await clients.live(200)
    assert clients.doubts == []


PASSING: list[PortFailure | None] = [None, Unavailable("503"), Throttled("429"), Conflict("409")]
REFUSED = Refused("403 forbidden")
"""Whoever may not read the webhook configuration cannot mend it: only about Secrets is it no matter."""


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(range(len(MISHAPS))),
            st.sampled_from([*PASSING, REFUSED]),
            st.sampled_from(PASSING),
            st.sampled_from([5.0, 20.0, 70.0]),
        ),
        max_size=4,
    )
)
@settings(max_examples=25)
def test_whatever_the_api_server_answers_for_a_while_nobody_doubts_and_all_is_mended_in_the_end(
    steps: list[tuple[int, PortFailure | None, PortFailure | None, float]],
) -> None:
    async def play() -> tuple[list[str], set[bytes], bytes]:
        scene = a_scene()
        clients = Clients(scene, kubelets_late=LATE)
        async with running(scene, issuers=2):
            await clients.live(50)
            for number, of_secrets, of_bundles, seconds in steps:
                MISHAPS[number](scene)
                scene.secrets.failure, scene.bundles.failure = of_secrets, of_bundles
                await clients.live(seconds)
                scene.secrets.failure = scene.bundles.failure = None
                await clients.live(seconds)
            await clients.live(150)
        return clients.doubts, set(scene.store.bundles()), scene.store.data(CA)["ca.crt"]

    doubts, bundles, ca = asyncio.run(play())
    assert doubts == []
    assert bundles == {ca}


def test_the_clients_of_these_tests_do_doubt_what_is_not_signed_for_them() -> None:
    ours, theirs = a_ca("ours"), a_ca("theirs")
    leaf = a_leaf(ours).cert_pem
    assert doubt(leaf, ours.cert_pem + theirs.cert_pem, NOON) == ""
    assert doubt(leaf, theirs.cert_pem, NOON) != ""
    assert doubt(leaf, ours.cert_pem, NOON + timedelta(days=91)) != ""


def test_two_cas_of_one_name_are_told_apart() -> None:
    one, other = a_ca("same"), a_ca("same")
    both = one.cert_pem + other.cert_pem
    assert [doubt(a_leaf(each).cert_pem, both, NOON) for each in (one, other)] == ["", ""]
