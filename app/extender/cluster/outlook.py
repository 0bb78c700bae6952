"""What lies ahead: the nodes on their way, and how long nodes and Fargate take here."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from app.extender.cluster.autoscaler_status import STATUS_KEY, Growth, growth_in
from app.extender.cluster.claims import Claims
from app.extender.cluster.coming import Asked, ComingConfig, coming, is_starting
from app.extender.cluster.facts import Coming, Learned
from app.extender.cluster.history import History
from app.extender.cluster.snapshot import Snapshot
from app.model.node import Node, is_virtual
from app.model.node_claim import NodeClaim
from app.model.objects import ConfigMap
from app.model.pod import Pod
from app.ports.watched import Watched

_CONFIG: Final = ComingConfig()


class Autoscalers(msgspec.Struct, frozen=True, kw_only=True):
    """What autoscalers say of themselves, watched; None where nobody looks.

    Attributes:
        claims: Karpenter's NodeClaims.
        status: the ConfigMap that cluster-autoscaler writes, and nothing else.
    """

    claims: Watched[NodeClaim] | None = None
    status: Watched[ConfigMap] | None = None


NO_AUTOSCALERS: Final = Autoscalers()


class Outlook:
    """Follows the watches beside the snapshot.

    Args:
        snapshot: follows pods and nodes, too, and was made first: what it knows is never behind.
        pods: all pods.
        nodes: all nodes.
        autoscalers: what they say.
        changed: called where the nodes on their way may be others than before.
        config: what is still believed of them.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        pods: Watched[Pod],
        nodes: Watched[Node],
        autoscalers: Autoscalers,
        changed: Callable[[], None],
        config: ComingConfig = _CONFIG,
    ) -> None:
        self._snapshot = snapshot
        self._tell = changed
        self._config = config
        self._growths: tuple[Growth, ...] = ()
        self._providers: dict[str, str] = {}
        self._claims = Claims(autoscalers.claims, changed=changed)
        self._history = History(
            pods,
            nodes,
            claims=autoscalers.claims,
            unbound=snapshot.unbound,
            claim_of=self._claims.of,
        )
        for node in nodes.all():
            self._provider_changed(None, node)
        nodes.on_change(self._node_changed)
        if autoscalers.status is not None:
            for status in autoscalers.status.all():
                self._status_changed(None, status)
            autoscalers.status.on_change(self._status_changed)

    def coming(self, now: datetime) -> tuple[Coming, ...]:
        """The nodes on their way, each once."""
        asked = Asked(
            claims=self._claims.open(),
            claim_of=self._claims.of,
            joined=self._providers.keys(),
            growths=self._growths,
        )
        return coming(
            self._snapshot.real(), asked, starting=self._snapshot.starting(), now=now, config=self._config
        )

    def learned(self) -> Learned:
        """How long nodes and tasks take."""
        return self._history.learned()

    def _status_changed(self, _: ConfigMap | None, after: ConfigMap | None) -> None:
        known, self._growths = self._growths, growth_in(after.data.get(STATUS_KEY, "")) if after else ()
        # Its look is renewed every ten seconds; that alone changes nothing.
        if _sizes(known) != _sizes(self._growths):
            self._tell()

    def _node_changed(self, before: Node | None, after: Node | None) -> None:
        self._provider_changed(before, after)
        if _starts(before) != _starts(after):
            self._tell()

    def _provider_changed(self, before: Node | None, after: Node | None) -> None:
        if before is not None:
            self._providers.pop(before.spec.provider_id, None)
        if after is not None and after.spec.provider_id:
            self._providers[after.spec.provider_id] = after.name


def _sizes(growths: tuple[Growth, ...]) -> list[tuple[str, int]]:
    return [(each.group, each.nodes) for each in growths]


def _starts(node: Node | None) -> bool:
    return node is not None and not is_virtual(node) and is_starting(node)
