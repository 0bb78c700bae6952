"""Our objects are removed, and whoever brings them back is named."""

import math

import msgspec
import pytest

from app.drain.config import DrainConfig
from app.drain.removal import HOLDER, Removal, RemovalConfig, Removed
from app.model.node import Node
from app.ports.failures import Refused
from tests.builders import VIRTUAL, a_pod, a_virtual_node
from tests.drain.fakes import BRIDGE, CLUSTER, FakeCluster, finished
from tests.fakes import VirtualClock

DRAINED = DrainConfig(cluster=CLUSTER)
CONFIG = RemovalConfig(namespace="spillway")
GONE = RemovalConfig(namespace="spillway", bridges_are_gone=True)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(VirtualClock())


async def removed(
    cluster: FakeCluster, config: RemovalConfig = CONFIG, drained: DrainConfig = DRAINED
) -> Removed:
    lines: list[str] = []
    removal = Removal(cluster.outside(), drained=drained, config=config, tell=lines.append)
    found = await finished(cluster.clock, removal.run())
    assert isinstance(found, Removed)
    return found


async def test_the_node_goes_and_stays_away_though_its_bridge_runs(cluster: FakeCluster) -> None:
    assert await removed(cluster) == Removed(nodes=(VIRTUAL,))
    assert (cluster.node, cluster.leases) == (None, {VIRTUAL: HOLDER})


async def test_the_lease_is_taken_before_the_node_is_removed(cluster: FakeCluster) -> None:
    await removed(cluster)
    assert cluster.did == [("claim", f"{VIRTUAL} for 3600 s"), ("remove node", VIRTUAL)]


async def test_a_bridge_that_writes_its_lease_once_more_is_asked_again(cluster: FakeCluster) -> None:
    class Stubborn(FakeCluster):
        async def claim(self, node: str, *, holder: str, seconds: int) -> None:
            await super().claim(node, holder=holder, seconds=seconds)
            if len(self.named("claim")) < 3:
                self.leases[node] = BRIDGE

    stubborn = Stubborn(cluster.clock)
    assert (await removed(stubborn)).left == ()
    assert (len(stubborn.named("claim")), stubborn.node) == (3, None)


async def test_a_node_that_always_comes_back_is_named(cluster: FakeCluster) -> None:
    class Immortal(FakeCluster):
        async def remove_node(self, node: object) -> None:
            self.did.append(("remove node", VIRTUAL))

    found = await removed(Immortal(cluster.clock))
    assert [(each.kind, each.name, each.reason) for each in found.left] == [("node", VIRTUAL, "ComesBack")]


async def test_leases_stay_while_programs_may_run(cluster: FakeCluster) -> None:
    await removed(cluster)
    assert cluster.named("remove lease") == []


async def test_leases_go_when_the_programs_are_gone(cluster: FakeCluster) -> None:
    await removed(cluster)
    cluster.bridge = False
    found = await removed(cluster, GONE)
    assert found.leases == (f"kube-node-lease/{VIRTUAL}", "spillway/spillway-gate")
    assert cluster.leases == {}


async def test_a_bridge_that_was_said_to_be_gone_and_still_runs_is_named(cluster: FakeCluster) -> None:
    class Alive(FakeCluster):
        async def remove_lease(self, namespace: str, name: str) -> None:
            await super().remove_lease(namespace, name)
            if len(self.named("remove lease")) == 1:
                self.node, self.leases[name] = a_virtual_node(), BRIDGE

    alive = Alive(cluster.clock)
    found = await removed(alive, GONE)
    assert [(each.kind, each.name, each.reason) for each in found.left] == [
        ("lease", f"kube-node-lease/{VIRTUAL}", "ComesBack")
    ]
    assert f"{BRIDGE} brought" in found.left[0].message
    assert (alive.node, alive.leases, found.leases) == (None, {VIRTUAL: HOLDER}, ("spillway/spillway-gate",))


async def test_a_bridge_has_the_time_of_its_round_to_show_that_it_still_runs(cluster: FakeCluster) -> None:
    class Slow(FakeCluster):
        async def remove_lease(self, namespace: str, name: str) -> None:
            await super().remove_lease(namespace, name)
            self.back_at = self.clock.steady() + 10.0

        async def nodes(self) -> tuple[Node, ...]:
            if self.clock.steady() >= self.back_at:
                self.node, self.leases[VIRTUAL] = a_virtual_node(), BRIDGE
                self.back_at = math.inf
            return await super().nodes()

        back_at = math.inf

    assert [each.reason for each in (await removed(Slow(cluster.clock), GONE)).left] == ["ComesBack"]


async def test_nobody_is_waited_for_where_no_lease_was_removed(cluster: FakeCluster) -> None:
    cluster.node, cluster.leases = None, {}
    await removed(cluster, GONE)
    assert cluster.clock.steady() < GONE.back


async def test_the_priority_class_goes_when_the_programs_are_gone(cluster: FakeCluster) -> None:
    await removed(cluster)
    assert cluster.named("remove priority") == []
    await removed(cluster, GONE)
    assert cluster.named("remove priority") == ["spillway-placeholder"]


async def test_a_priority_class_that_may_not_be_removed_keeps_nobody(cluster: FakeCluster) -> None:
    class Strict(FakeCluster):
        async def remove_priority(self, name: str) -> bool:
            raise Refused(f"{name}: forbidden")

    found = await removed(Strict(cluster.clock), GONE)
    assert (found.left, found.leases[-1]) == ((), "spillway/spillway-gate")


async def test_leases_of_other_nodes_are_never_touched(cluster: FakeCluster) -> None:
    cluster.leases["ec2-0"] = "ec2-0"
    await removed(cluster, GONE)
    assert cluster.leases == {"ec2-0": "ec2-0"}


async def test_placeholders_go(cluster: FakeCluster) -> None:
    cluster.waiting = [a_pod("spillway-placeholder-u1", namespace="spillway")]
    assert (await removed(cluster)).placeholders == 1
    assert cluster.waiting == []


async def test_entries_of_the_vault_go_the_seal_too(cluster: FakeCluster) -> None:
    cluster.an_entry(f"spillway/{CLUSTER}/{VIRTUAL}/u1_7")
    cluster.an_entry(f"spillway/{CLUSTER}/seal-1")
    assert (await removed(cluster)).entries == 2
    assert cluster.entries == []


async def test_where_nodes_are_named_only_their_entries_go(cluster: FakeCluster) -> None:
    cluster.an_entry(f"spillway/{CLUSTER}/{VIRTUAL}/u1_7")
    cluster.an_entry(f"spillway/{CLUSTER}/fargate-2/u1_7")
    cluster.an_entry(f"spillway/{CLUSTER}/seal-1")
    one = msgspec.structs.replace(DRAINED, nodes=frozenset({VIRTUAL}))
    assert (await removed(cluster, GONE, one)).leases == (f"kube-node-lease/{VIRTUAL}",)
    assert len(cluster.entries) == 2


async def test_entries_that_may_not_be_removed_are_named(cluster: FakeCluster) -> None:
    class Strict(FakeCluster):
        async def forget(self, arn: str) -> None:
            raise Refused(f"{arn}: not authorized")

    strict = Strict(cluster.clock)
    strict.an_entry(f"spillway/{CLUSTER}/seal-1")
    found = await removed(strict)
    assert [(each.kind, each.name) for each in found.left] == [("entry", f"spillway/{CLUSTER}/")]


async def test_a_look_changes_nothing(cluster: FakeCluster) -> None:
    lines: list[str] = []
    removal = Removal(cluster.outside(), drained=DRAINED, config=CONFIG, tell=lines.append)
    assert [(each.kind, each.name) for each in await removal.look()] == [("node", VIRTUAL)]
    assert cluster.did == []
