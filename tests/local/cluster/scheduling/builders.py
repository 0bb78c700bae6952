"""Values that the scheduling tests name only in part."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.local.cluster.scheduling.snapshot import NodeInfo, Snapshot
from app.model.node import Node
from app.model.pod import Pod

WEB = {"app": "web"}


def a_snapshot(
    placed: Mapping[str, Sequence[Pod]] | None = None,
    *,
    nodes: Sequence[Node] = (),
    nominated: Mapping[str, tuple[Pod, ...]] | None = None,
) -> Snapshot:
    """Nodes, and the pods that run on each by the node's name."""
    running = placed or {}
    infos = {node.name: NodeInfo.of(node, running.get(node.name, ())) for node in nodes}
    return Snapshot(nodes=infos, nominated=nominated or {})


def spread_over(key: str, *, max_skew: int = 1, **fields: Any) -> dict[str, Any]:
    """A hard topology spread constraint over the pods labelled WEB."""
    return {
        "topologyKey": key,
        "maxSkew": max_skew,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": WEB},
        **fields,
    }


def required_affinity(*terms: Mapping[str, Any]) -> dict[str, Any]:
    """Required node affinity of these terms."""
    required = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    """A term of one label requirement."""
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def named(*names: str) -> dict[str, Any]:
    """A term that names nodes, as the DaemonSet controller writes it."""
    return {"matchFields": [{"key": "metadata.name", "operator": "In", "values": list(names)}]}
