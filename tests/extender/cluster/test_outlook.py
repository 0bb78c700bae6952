from collections.abc import Callable
from datetime import timedelta

import msgspec

from app.extender.cluster.outlook import Autoscalers, Outlook
from app.extender.cluster.snapshot import Snapshot
from app.model.meta import ObjectMeta
from app.model.objects import ConfigMap
from tests.builders import NOON, a_node, a_pod, a_virtual_node
from tests.extender.cluster.bodies import PROVIDER, YAML, a_claim
from tests.extender.cluster.test_history import a_booting_node
from tests.fakes import FakeWatched


class Ahead:
    """A cluster with both autoscalers, and how often somebody was told to look again."""

    def __init__(self, *, status: ConfigMap | None = None) -> None:
        self.pods = FakeWatched([a_pod()])
        self.nodes = FakeWatched([a_virtual_node()])
        self.claims = FakeWatched([a_claim("done", conditions={"Initialized": "True"}, providerID="")])
        self.status: FakeWatched[ConfigMap] = FakeWatched([status] if status else [])
        self.told = 0
        self.outlook = Outlook(
            Snapshot(self.pods, self.nodes),
            pods=self.pods,
            nodes=self.nodes,
            autoscalers=Autoscalers(claims=self.claims, status=self.status),
            changed=self.tell,
        )

    def tell(self) -> None:
        self.told += 1

    def told_by(self, change: Callable[[], None]) -> bool:
        """Whether the change tells somebody."""
        before = self.told
        change()
        return self.told > before

    def coming(self) -> list[str]:
        return [each.source for each in self.outlook.coming(NOON)]


def a_moment() -> timedelta:
    return timedelta(seconds=35)


def a_status(text: str = YAML, **data: str) -> ConfigMap:
    metadata = ObjectMeta(name="cluster-autoscaler-status", namespace="kube-system")
    return ConfigMap(metadata=metadata, data={"status": text, **data})


def test_one_machine_is_counted_once_from_its_claim_to_its_readiness() -> None:
    ahead = Ahead()
    ahead.claims.put(a_claim())
    assert ahead.coming() == ["node-claim"]
    ahead.nodes.put(a_booting_node(provider=PROVIDER))
    assert ahead.coming() == ["node"]
    ahead.nodes.put(a_booting_node(provider=PROVIDER, ready=a_moment()))
    assert ahead.coming() == []


def test_a_status_is_followed_while_it_is_there() -> None:
    ahead = Ahead(status=a_status())
    assert ahead.coming() == ["cluster-autoscaler", "cluster-autoscaler"]
    ahead.status.put(a_status("Initializing"))
    assert ahead.coming() == []
    ahead.status.put(a_status())
    ahead.status.drop("kube-system/cluster-autoscaler-status")
    assert ahead.coming() == []


def test_a_configmap_without_a_status_says_nothing() -> None:
    assert Ahead(status=msgspec.structs.replace(a_status(), data={})).coming() == []


def test_others_are_told_when_something_else_is_on_its_way_and_only_then() -> None:
    ahead = Ahead()
    told = [
        ahead.told_by(lambda: ahead.status.put(a_status())),
        ahead.told_by(lambda: ahead.status.put(a_status(YAML.replace("11:59:55", "12:00:05")))),
        ahead.told_by(lambda: ahead.status.put(a_status(YAML.replace("Target: 6", "Target: 5")))),
        ahead.told_by(lambda: ahead.claims.put(a_claim())),
        ahead.told_by(lambda: ahead.nodes.put(a_booting_node())),
        ahead.told_by(lambda: ahead.nodes.put(a_booting_node(cpu="4"))),
        ahead.told_by(lambda: ahead.nodes.put(a_booting_node(ready=a_moment()))),
        ahead.told_by(lambda: ahead.nodes.put(a_node("ec2-9", cpu="8"))),
        ahead.told_by(lambda: ahead.nodes.put(a_virtual_node(ready=False))),
    ]
    assert told == [True, False, True, True, True, False, True, False, False]


def test_what_was_learned_is_shown() -> None:
    ahead = Ahead()
    ahead.nodes.put(a_booting_node(ready=a_moment()))
    assert ahead.outlook.learned().node_boot == a_moment()
