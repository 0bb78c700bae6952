"""Whether autoscalers, where there are any, leave the virtual nodes alone.

Cluster Autoscaler on AWS passes over nodes with EKS' label of Fargate, and looks for the instances of all
others; Karpenter minds the nodes of its own NodePools.
"""

from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, fail, ok, unread, warn
from app.doctor.seen import Seen, Unread, known
from app.model.names import COMPUTE_TYPE, COMPUTE_TYPE_LABEL
from app.model.namespace import SYSTEM
from app.model.node import Node
from app.model.setting import named

SUBJECT: Final = "autoscalers"
_NODE_POOL: Final = "karpenter.sh/nodepool"
_INSTANCE: Final = "aws:///"
_STATUS: Final = "cluster-autoscaler-status"
"""The ConfigMap that Cluster Autoscaler writes."""


def check(seen: Seen) -> Iterator[Finding]:
    """Who is there, and each virtual node, whether or not that is known."""
    faults = [fault for node in seen.virtual for fault in _faults(node)]
    hidden = tuple(_hidden(seen))
    yield from faults
    yield from hidden
    if not faults and not hidden:
        there = " and ".join(_there(seen))
        yield ok(SUBJECT, f"{there} leave the virtual nodes alone" if there else "none was found")


def _hidden(seen: Seen) -> Iterator[Finding]:
    looked_at = {
        "whether there is Karpenter": seen.karpenter,
        "whether there is Cluster Autoscaler": seen.config_maps.get(SYSTEM),
        "how the virtual nodes look to them": seen.nodes,
    }
    for what, found in looked_at.items():
        if isinstance(found, Unread):
            yield unread(SUBJECT, what, found)


def _there(seen: Seen) -> Iterator[str]:
    if seen.karpenter:
        yield "Karpenter"
    if any(each.metadata.name == _STATUS for each in known(seen.config_maps.get(SYSTEM, ()))):
        yield "Cluster Autoscaler"


def _faults(node: Node) -> Iterator[Finding]:
    labels = node.metadata.labels
    if labels.get(COMPUTE_TYPE_LABEL) != COMPUTE_TYPE:
        yield warn(
            SUBJECT,
            f"{node.name} lacks the label {COMPUTE_TYPE_LABEL}={COMPUTE_TYPE}: Cluster Autoscaler takes it "
            "for an instance that was deleted",
            f"kubectl label node {node.name} {COMPUTE_TYPE_LABEL}={COMPUTE_TYPE}",
        )
    if _NODE_POOL in labels:
        yield fail(
            SUBJECT,
            f"{node.name} has the label {_NODE_POOL}: Karpenter takes it for its own, and may delete it",
            f"kubectl label node {node.name} {_NODE_POOL}-",
        )
    if node.spec.provider_id.startswith(_INSTANCE):
        yield warn(
            SUBJECT,
            f"{node.name} has the providerID of an instance ({node.spec.provider_id}), by which clouds' "
            "controllers and autoscalers look for it",
            f"unset {named('bridge', 'provider_id')}, and create the node anew",
        )
