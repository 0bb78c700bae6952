"""Entries go when nobody needs them, and never a moment earlier."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from app.bridge.material.vault_keeper import KeeperConfig, VaultKeeper
from app.bridge.translation.material import Material, Needs
from app.model.pod import Pod
from app.ports.failures import Unavailable
from tests.bridge.material.fakes import PREFIX, Outskirts, a_secret
from tests.builders import NOON, a_pod
from tests.fakes import FakeWatched, settle

ENTRY = f"{PREFIX}uid-of-db_7"
NEEDS = Needs(secrets={"db": False})
Meanwhile = list[Coroutine[Any, Any, object]]
"""What happens while the keeper asks for the Lease, question by question."""
LONG_AGO = NOON - timedelta(days=2)


class Scene:
    """A keeper that runs, and the node's pods."""

    def __init__(self) -> None:
        self.outskirts = Outskirts()
        self.vault, self.clock = self.outskirts.vault, self.outskirts.clock
        self.outskirts.sources.put(a_secret("db"))
        self.pods: FakeWatched[Pod] = FakeWatched()
        self.leads = True
        self.meanwhile: Meanwhile = []
        self.keeper = self.start()

    def start(self) -> VaultKeeper:
        """A keeper, and a gatherer, as a new process has them."""
        self.outskirts.gatherer = self.outskirts.start()
        self.keeper = VaultKeeper(
            self.vault,
            self.outskirts.gatherer.shelf,
            pods=self.pods,
            clock=self.clock,
            config=KeeperConfig(prefix=PREFIX),
            is_ours=self._is_ours,
        )
        return self.keeper

    async def _is_ours(self) -> bool:
        await (self.meanwhile.pop(0) if self.meanwhile else asyncio.sleep(0))
        return self.leads

    async def launch(self, pod: Pod) -> Material:
        self.pods.put(pod)
        found = await self.outskirts.gatherer.gather(pod, NEEDS, namespace={})
        assert isinstance(found, Material)
        return found

    async def rounds(self, count: int) -> None:
        """So many rounds, five minutes apart."""
        for _ in range(count):
            await self.keeper.tidy()
            await self.clock.advance(300)


@pytest.fixture
async def scene() -> Scene:
    return Scene()


async def test_an_entry_outlives_its_last_pod_by_fifteen_minutes(scene: Scene) -> None:
    pod = a_pod()
    await scene.launch(pod)
    await scene.rounds(12)
    assert scene.vault.names == {ENTRY}
    scene.pods.drop(pod.key)

    await scene.rounds(3)
    assert scene.vault.names == {ENTRY}
    await scene.rounds(1)
    assert scene.vault.names == set()


async def test_a_pod_that_is_over_needs_nothing(scene: Scene) -> None:
    pod = a_pod(uid="u1")
    await scene.launch(pod)
    scene.pods.put(a_pod(uid="u1", phase="Succeeded"))

    await scene.rounds(8)

    assert scene.vault.names == set()


async def test_an_entry_of_a_pod_in_flight_is_kept_though_its_pod_is_not_seen(scene: Scene) -> None:
    scene.vault.has(ENTRY, created_at=LONG_AGO)
    await scene.rounds(3)
    await scene.outskirts.gatherer.gather(a_pod(), NEEDS, namespace={})

    await scene.rounds(3)

    assert scene.vault.names == {ENTRY}


async def test_after_a_restart_nothing_goes_for_fifteen_minutes(scene: Scene) -> None:
    scene.vault.has(ENTRY, created_at=LONG_AGO)

    await scene.rounds(3)
    assert scene.vault.names == {ENTRY}
    await scene.rounds(1)
    assert scene.vault.names == set()


async def test_an_entry_that_is_young_by_aws_own_clock_is_kept(scene: Scene) -> None:
    await scene.rounds(4)
    scene.vault.has(ENTRY, created_at=scene.clock.now())

    await scene.rounds(3)

    assert scene.vault.names == {ENTRY}


async def test_an_old_version_goes_once_its_pods_have_the_new_one(scene: Scene) -> None:
    pod = a_pod()
    await scene.launch(pod)
    scene.outskirts.sources.put(a_secret("db", version="8", password=b"new"))
    await scene.clock.advance(10)
    await scene.launch(pod)

    await scene.rounds(7)

    assert scene.vault.names == {f"{PREFIX}uid-of-db_8"}


async def test_entries_of_other_bridges_and_the_seal_key_are_never_touched(scene: Scene) -> None:
    others = {
        "spillway/cluster-1/fargate-2/uid_7",
        "spillway/cluster-1/seal-1",
        "spillway/cluster-2/fargate-1a/uid_7",
        "production/database",
    }
    for name in others:
        scene.vault.has(name, created_at=LONG_AGO)

    await scene.rounds(8)

    assert scene.vault.names == others


async def test_a_listing_that_fails_removes_nothing_and_is_tried_again(scene: Scene) -> None:
    scene.vault.has(ENTRY, created_at=LONG_AGO)
    running = asyncio.ensure_future(scene.keeper.run())
    await scene.clock.advance(600)
    scene.vault.fails["kept"] = Unavailable("page 2 was not answered")
    await scene.clock.advance(1200)
    assert scene.vault.names == {ENTRY}
    del scene.vault.fails["kept"]

    await scene.clock.advance(300)
    running.cancel()

    assert scene.vault.names == set()


async def test_a_bridge_that_lost_the_node_removes_nothing_and_waits_anew_when_it_has_it_again(
    scene: Scene,
) -> None:
    scene.vault.has(ENTRY, created_at=LONG_AGO)
    await scene.rounds(3)
    scene.leads = False
    await scene.rounds(2)
    scene.leads = True

    await scene.rounds(3)
    assert scene.vault.names == {ENTRY}
    await scene.rounds(1)
    assert scene.vault.names == set()


async def test_a_pod_that_comes_while_its_entry_is_removed_gets_it_stored_anew(scene: Scene) -> None:
    old = scene.vault.has(ENTRY, created_at=LONG_AGO)
    await scene.rounds(3)
    scene.vault.forgetting = asyncio.Event()
    removing = asyncio.ensure_future(scene.keeper.tidy())
    await settle()
    launching = asyncio.ensure_future(scene.launch(a_pod()))
    await settle()
    assert not launching.done()
    scene.vault.forgetting.set()
    await removing

    found = await launching

    assert old.arn not in found.secrets["db"].keys["password"].value_from
    assert scene.vault.names == {ENTRY}


async def test_a_pod_that_comes_just_before_a_removal_prevents_it(scene: Scene) -> None:
    scene.vault.has(ENTRY, created_at=LONG_AGO)
    await scene.rounds(3)
    scene.meanwhile = [asyncio.sleep(0), scene.launch(a_pod())]

    assert await scene.keeper.tidy() == 0
    assert scene.vault.names == {ENTRY}


async def test_an_entry_that_somebody_else_removed_is_stored_again(scene: Scene) -> None:
    await scene.launch(a_pod("web-1"))
    scene.vault.entries.clear()
    await scene.rounds(1)

    await scene.launch(a_pod("web-2"))

    assert scene.vault.names == {ENTRY}


async def test_a_thousand_tidied_names_leave_nothing_in_memory(scene: Scene) -> None:
    pod = a_pod()
    await scene.launch(pod)
    scene.pods.drop(pod.key)
    await scene.rounds(8)
    shelf = scene.outskirts.gatherer.shelf

    assert (shelf._stored, shelf._uses, dict(shelf._turns), scene.keeper._idle_since) == ({}, {}, {}, {})
