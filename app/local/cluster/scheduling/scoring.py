"""Which of the feasible nodes is best: kube-scheduler's score plugins with their default weights.

Taints that are only preferred against (3), preferred node affinity (2), the emptiest node (1) and the best
balanced one (1); each plugin gives 0..100. https://kubernetes.io/docs/reference/scheduling/config/
"""

from collections.abc import Mapping, Sequence

from app.local.cluster.scheduling.affinity import preferred_weight
from app.local.cluster.scheduling.snapshot import NodeInfo, usual_requests
from app.model.node import Node
from app.model.pod import Pod, tolerates

_BEST = 100


def scores(pod: Pod, nodes: Sequence[NodeInfo]) -> dict[str, int]:
    """The weighted sum of all plugins for each node, by name."""
    disliked = {info.name: -_untolerated_preferences(pod, info.node) for info in nodes}
    preferred = {info.name: preferred_weight(pod, info.node) for info in nodes}
    taint_score, affinity_score = _scaled_up_from_least(disliked), _scaled(preferred)
    return {
        info.name: 3 * taint_score[info.name]
        + 2 * affinity_score[info.name]
        + _least_allocated(pod, info)
        + _balanced(pod, info)
        for info in nodes
    }


def best(total: Mapping[str, int]) -> str:
    """The node with the highest score; of equals the first by name, so that runs can be repeated."""
    return min(total, key=lambda name: (-total[name], name))


def _untolerated_preferences(pod: Pod, node: Node) -> int:
    return sum(
        not tolerates(pod, key=taint.key, value=taint.value, effect=taint.effect)
        for taint in node.spec.taints
        if taint.effect == "PreferNoSchedule"
    )


def _scaled(values: Mapping[str, int]) -> dict[str, int]:
    highest = max(values.values(), default=0)
    return {name: value * _BEST // highest if highest else 0 for name, value in values.items()}


def _scaled_up_from_least(values: Mapping[str, int]) -> dict[str, int]:
    """The least disliked gets 100, the most disliked 0."""
    lowest = min(values.values(), default=0)
    return {name: _BEST - value * _BEST // lowest if lowest else _BEST for name, value in values.items()}


def _least_allocated(pod: Pod, info: NodeInfo) -> int:
    shares = [max(0.0, 1 - share) for share in _shares(pod, info)]
    return int(sum(shares) / len(shares) * _BEST) if shares else 0


def _balanced(pod: Pod, info: NodeInfo) -> int:
    """Half the distance between the shares of cpu and memory is the deviation that costs points."""
    shares = [min(1.0, share) for share in _shares(pod, info)]
    return int((1 - (max(shares) - min(shares)) / 2) * _BEST) if shares else 0


def _shares(pod: Pod, info: NodeInfo) -> list[float]:
    """How full cpu and memory would be with the pod on the node."""
    used = info.usual + usual_requests(pod)
    pairs = ((used.cpu_milli, info.room.cpu_milli), (used.memory, info.room.memory))
    return [amount / room for amount, room in pairs if room]
