import pytest
from msgspec.structs import replace

from app.extender.cluster.claims import Claims
from app.model.node import NodeSpec
from app.model.node_claim import NodeClaim
from tests.builders import NOON, a_node
from tests.extender.cluster.bodies import PROVIDER, a_claim
from tests.fakes import FakeWatched


class Karpenter:
    """Claims that the test changes, and how often somebody was told of it."""

    def __init__(self, *claims: NodeClaim) -> None:
        self.watched = FakeWatched(claims)
        self.told = 0
        self.claims = Claims(self.watched, changed=self.tell)

    def tell(self) -> None:
        self.told += 1


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(a_claim(conditions={"Launched": "False"}), id="could not be launched"),
        pytest.param(a_claim(conditions={"Initialized": "True"}), id="done"),
        pytest.param(a_claim(metadata={"deletionTimestamp": NOON.isoformat()}), id="being deleted"),
    ],
)
def test_a_claim_is_open_until_its_node_takes_pods_or_never_will(claim: NodeClaim) -> None:
    karpenter = Karpenter(a_claim())
    assert [each.name for each in karpenter.claims.open()] == [claim.name]
    karpenter.watched.put(claim)
    assert karpenter.claims.open() == ()


def test_a_claim_that_is_gone_is_forgotten() -> None:
    karpenter = Karpenter(a_claim(nodeName="ec2-0"))
    karpenter.watched.drop("default-7lh6k")
    assert (karpenter.claims.open(), karpenter.claims.of(a_node("ec2-0"))) == ((), None)


def test_a_node_is_found_by_its_provider_before_karpenter_knows_its_name() -> None:
    karpenter = Karpenter(a_claim())
    node = replace(a_node("ec2-0"), spec=NodeSpec(provider_id=PROVIDER))
    found = karpenter.claims.of(node)
    assert found is not None
    assert found.name == "default-7lh6k"
    assert karpenter.claims.of(a_node("ec2-0")) is None


def test_others_are_told_of_open_claims_only() -> None:
    karpenter = Karpenter(a_claim(conditions={"Initialized": "True"}))
    told = karpenter.told
    karpenter.watched.put(a_claim(conditions={"Initialized": "True"}, imageID="ami-2"))
    assert karpenter.told == told
    karpenter.watched.put(a_claim("default-new"))
    karpenter.watched.drop("default-new")
    assert karpenter.told == told + 2


def test_without_karpenter_nothing_is_open() -> None:
    claims = Claims(None, changed=lambda: None)
    assert (claims.open(), claims.of(a_node())) == ((), None)
