import msgspec

from app.model.node_claim import NodeClaim
from tests.extender.cluster.bodies import CLAIM, PROVIDER


def test_a_claim_is_read_as_karpenter_writes_it() -> None:
    claim = msgspec.convert(CLAIM, NodeClaim)
    assert (claim.name, claim.status.provider_id, claim.status.node_name) == ("default-7lh6k", PROVIDER, "")
    assert claim.status.allocatable["pods"] == "58"
    assert [each.key for each in claim.spec.startup_taints] == ["node.cilium.io/agent-not-ready"]


def test_a_condition_that_is_not_there_yet_is_unknown() -> None:
    claim = msgspec.convert(CLAIM, NodeClaim)
    assert (claim.stands("Launched"), claim.stands("Registered"), claim.stands("Drifted")) == (
        "True",
        "Unknown",
        "Unknown",
    )


def test_a_claim_that_was_just_made_is_read() -> None:
    body = {"metadata": {"name": "new"}, "spec": {"nodeClassRef": {"name": "default"}, "requirements": []}}
    assert msgspec.convert(body, NodeClaim).status.conditions == ()
