"""Karpenter's NodeClaims as they come and go: which are still open, and which node came of which."""

from collections.abc import Callable

from app.model.node import Node
from app.model.node_claim import NodeClaim
from app.ports.watched import Watched


class Claims:
    """An index over the watched claims; a change costs one claim's worth of work.

    Args:
        watched: all claims; None where nobody looks.
        changed: called when the open claims are others than before.
    """

    def __init__(self, watched: Watched[NodeClaim] | None, *, changed: Callable[[], None]) -> None:
        self._tell = changed
        self._open: dict[str, NodeClaim] = {}
        self._by_node: dict[str, NodeClaim] = {}
        if watched is None:
            return
        for claim in watched.all():
            self._changed(None, claim)
        watched.on_change(self._changed)

    def open(self) -> tuple[NodeClaim, ...]:
        """The claims whose node does not take pods yet."""
        return tuple(self._open.values())

    def of(self, node: Node) -> NodeClaim | None:
        """The claim that the node came of: by its provider ID, or by its name."""
        found = self._by_node.get(node.spec.provider_id) if node.spec.provider_id else None
        return found or self._by_node.get(node.name)

    def _changed(self, before: NodeClaim | None, after: NodeClaim | None) -> None:
        if before is not None:
            self._open.pop(before.name, None)
            for key in _keys(before):
                self._by_node.pop(key, None)
        if after is not None:
            self._by_node.update(dict.fromkeys(_keys(after), after))
            if _is_open(after):
                self._open[after.name] = after
        if any(claim is not None and _is_open(claim) for claim in (before, after)):
            self._tell()


def _keys(claim: NodeClaim) -> tuple[str, ...]:
    return tuple(key for key in (claim.status.provider_id, claim.status.node_name) if key)


def _is_open(claim: NodeClaim) -> bool:
    """Whether it may still bring a node: what failed to launch is deleted by Karpenter, and made anew."""
    if claim.metadata.deletion_timestamp is not None or claim.stands("Launched") == "False":
        return False
    return claim.stands("Initialized") != "True"
