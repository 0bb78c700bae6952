"""The set of nodes that a pod could use, by its own words: nodeSelector, required affinity, tolerations.

Architecture and zone are labels like any other, so they are in it. What a bound volume demands of a node is
not: that is written on the volume.
"""

import msgspec

from app.extender.cluster.affinity import hard_taints, is_transient, lets_onto, required_of
from app.model.affinity import Term
from app.model.node import Node
from app.model.pod import Pod, Toleration, bear_with

_WHATEVER: tuple[str, str, str, str] = ("", "Exists", "", "")


class Reach(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """What decides which nodes a pod could use: pods with equal words have equal reaches.

    Attributes:
        selector: the labels that a node must have, sorted.
        required: the terms of required node affinity, of which one must hold; None asks for nothing.
        tolerations: key, operator, value and effect of each toleration that can matter, sorted.
    """

    selector: tuple[tuple[str, str], ...] = ()
    required: tuple[Term, ...] | None = None
    tolerations: tuple[tuple[str, str, str, str], ...] = ()

    def holds(self, node: Node) -> bool:
        """Whether such a pod could use the node, were it up and had it room.

        Taints of the node's passing state (not-ready, …) do not count.
        """
        if not lets_onto(node, selector=self.selector, required=self.required):
            return False
        taints = hard_taints(node, transient=False) if node.spec.taints else ()
        if not taints:
            return True
        borne = tuple(
            Toleration(key=key, operator=operator, value=value, effect=effect)
            for key, operator, value, effect in self.tolerations
        )
        return all(bear_with(borne, key=each.key, value=each.value, effect=each.effect) for each in taints)


def reach_of(pod: Pod) -> Reach:
    """The pod's reach. A toleration that bears with anything makes the others say nothing."""
    borne = {
        (each.key, each.operator or "Equal", each.value, each.effect)
        for each in pod.spec.tolerations
        if not is_transient(each.key)
    }
    return Reach(
        selector=tuple(sorted(pod.spec.node_selector.items())),
        required=required_of(pod),
        tolerations=(_WHATEVER,) if _WHATEVER in borne else tuple(sorted(borne)),
    )
