"""Writes how far one virtual node's gate stands open, and knows what it wrote until the watch shows it."""

from typing import Final

import msgspec

from app.extender.decision.decisions import Opening
from app.extender.decision.opening import first_step
from app.extender.metrics import GateMetrics
from app.model.early import EarlyRoom, read_early, written_early
from app.model.grant import Grant, GrantsError, read_grants, written
from app.model.names import EARLY_ROOM, GATE_MANAGER, GRANTS
from app.model.node import Node, allocatable
from app.model.quantity import QuantityError
from app.model.resources import Resources
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.ports.kubernetes import Nodes
from app.telemetry import logs
from app.timing import backoff
from app.timing.waiting import within

_log = logs.get(__name__)

_FIRST_BACKOFF: Final = 0.2
_LONGEST_BACKOFF: Final = 10.0


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and how patiently, a node is written.

    Attributes:
        between: seconds between two writes that open the gate.
        tidy: seconds between two writes that only close it or take bound pods off the list. What somebody
            else wrote is put right as fast as the gate is opened.
        timeout: seconds for one write.
        trust: seconds for which our own write outranks a watch that has not caught up with it.
    """

    between: float = 0.05
    tidy: float = 0.25
    timeout: float = 5.0
    trust: float = 10.0


class _Shown(msgspec.Struct, frozen=True):
    """What a node says of its gate; `grants` is None where somebody else wrote the annotation."""

    grants: tuple[Grant, ...] | None
    room: Resources | None
    early: EarlyRoom | None = None


class _Write(msgspec.Struct, frozen=True):
    """Our last write: what was wanted, the node that it made, and when (steady seconds)."""

    wanted: Opening
    node: Node
    at: float


class Gatekeeper:
    """The one writer of one virtual node's grants and allocatable.

    Args:
        node: the node's name.
        nodes: where it writes.
        clock: paces the writes.
        metrics: counts them.
        pace: how often.
    """

    def __init__(self, node: str, nodes: Nodes, *, clock: Clock, metrics: GateMetrics, pace: Pace) -> None:
        self._name = node
        self._nodes = nodes
        self._clock = clock
        self._metrics = metrics
        self._pace = pace
        self._last: _Write | None = None
        self._rest_until = 0.0
        self._failures = 0

    def newest(self, watched: Node) -> Node:
        """The newer of the watched node and the one that our last write returned.

        The watch may lag behind our own write. Resource versions of one kind are ordered numbers:
        https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions. Should they ever run
        backwards (a restored etcd), the watch is trusted again after a while.
        """
        last = self._last
        if last is None or self._clock.steady() - last.at > self._pace.trust:
            return watched
        return last.node if _version(watched) < _version(last.node) else watched

    def is_own_write(self, watched: Node) -> bool:
        """Whether the watch shows what our last write returned: nothing that we do not know yet."""
        return self._last is not None and _version(watched) == _version(self._last.node)

    def grants(self, node: Node) -> tuple[Grant, ...]:
        """The grants on the node; none where somebody else wrote the annotation."""
        try:
            return read_grants(node.metadata.annotations)
        except GrantsError as error:
            self._metrics.tampered.inc()
            _log.error("grants unreadable, written anew", node=self._name, error=str(error))
            return ()

    def shows(self, node: Node, opening: Opening) -> bool:
        """Whether the opening is written: the newest node that we know of has its grants and its room."""
        return not self._differs(self.newest(node), opening)

    async def bring(self, node: Node, opening: Opening) -> float | None:
        """Write the opening if the node shows another.

        Returns:
            Seconds until the caller should come again, since it is too early or the write failed; None where
            the node is as it should be, or gone.
        """
        if not self._differs(node, opening):
            return None
        early = self._too_early(node, opening)
        if early > 0:
            return early
        step = _step(_shown(node), opening)
        try:
            after = await within(
                self._clock,
                self._pace.timeout,
                self._nodes.apply_status(manifest(step), manager=GATE_MANAGER),
            )
        except NotFound:
            self._last, self._failures = None, 0
            self._metrics.applies.labels("gone").inc()
            return None
        except PortFailure as error:
            return self._failed(error)
        self._succeeded(step, after)
        return None if step is opening else self._pace.between

    def _differs(self, node: Node, opening: Opening) -> bool:
        shown = _shown(node)
        if shown == _Shown(opening.grants, opening.room, opening.early):
            return False
        # The API server may store our write in its own way: writing it again would change nothing, for ever.
        last = self._last
        return last is None or last.wanted != opening or _shown(last.node) != shown

    def _too_early(self, node: Node, opening: Opening) -> float:
        now = self._clock.steady()
        if self._failures or self._last is None:
            return self._rest_until - now
        shown = _shown(node)
        urgent = _opens(shown, opening) or shown != _shown(self._last.node)
        wait = self._pace.between if urgent else self._pace.tidy
        return self._last.at + wait - now

    def _succeeded(self, opening: Opening, after: Node) -> None:
        self._failures = 0
        self._last = _Write(opening, after, self._clock.steady())
        self._metrics.applies.labels("written").inc()
        _log.info("gate set", node=self._name, grants=len(opening.grants), room=opening.room.wire())

    def _failed(self, error: PortFailure) -> float:
        # Whether it was written is unknown: believe the watch, and write the whole again.
        self._last = None
        self._failures += 1
        # One leader writes each node, so that there is nobody to keep out of step with.
        pause = backoff.delay(self._failures, first=_FIRST_BACKOFF, longest=_LONGEST_BACKOFF, jitter=1.0)
        self._rest_until = self._clock.steady() + pause
        self._metrics.applies.labels("failed").inc()
        _log.warning("gate not set, tried again", node=self._name, seconds=pause, error=str(error))
        return pause


def manifest(opening: Opening) -> dict[str, Json]:
    """The whole of what the gate owns on a node: an apply takes away what the last one had and this has not.

    https://kubernetes.io/docs/reference/using-api/server-side-apply/
    """
    early = {} if opening.early is None else {EARLY_ROOM: written_early(opening.early)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": opening.node, "annotations": {GRANTS: written(opening.grants), **early}},
        "status": {"allocatable": opening.room.wire()},
    }


def _opens(shown: _Shown, opening: Opening) -> bool:
    """Whether somebody waits for the write: a new grant, more room, or a node that must be put right."""
    if shown.grants is None or shown.room is None:
        return True
    return not set(_keys(opening.grants)) <= set(_keys(shown.grants)) or not opening.room.fits(shown.room)


def _step(shown: _Shown, opening: Opening) -> Opening:
    if shown.grants is None or shown.room is None:
        return opening
    return first_step(opening, shown=shown.grants, slots=shown.room.pods)


def _keys(grants: tuple[Grant, ...]) -> list[tuple[str, object]]:
    return [(grant.uid, grant.expires) for grant in grants]


def _shown(node: Node) -> _Shown:
    early = read_early(node.metadata.annotations)
    try:
        grants = tuple(sorted(read_grants(node.metadata.annotations), key=lambda grant: grant.uid))
    except GrantsError:
        return _Shown(None, _room(node), early)
    return _Shown(grants, _room(node), early)


def _room(node: Node) -> Resources | None:
    try:
        return allocatable(node)
    except QuantityError:
        return None


def _version(node: Node) -> int:
    text = node.metadata.resource_version
    return int(text) if text.isdecimal() else 0
