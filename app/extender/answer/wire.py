"""kube-scheduler's extender protocol as it stands on the wire: capitalised keys, both ways to name nodes.

With `nodeCacheCapable: true` the scheduler sends `NodeNames`, otherwise whole `Nodes`. Only what a verdict
needs is decoded; surviving nodes are echoed byte for byte.

https://pkg.go.dev/k8s.io/kube-scheduler/extender/v1
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from app.extender.answer.verdict import Verdict
from app.model.names import PodUid
from app.model.node import Taint, marks_virtual
from app.model.pod import Pod
from app.model.quantity import QuantityError
from app.model.requests import requests_of
from app.model.resources import Resources
from app.model.wire import Wire

T = TypeVar("T")

_NULL: Final = b"null"


class WireError(ValueError):
    """The request is not one that kube-scheduler sends; the message names the mend."""


class Owner(Wire, frozen=True):
    """Who made the pod; `controller` marks the one that manages it."""

    uid: str = ""
    controller: bool = False


class PodMeta(Wire, frozen=True):
    """Which pod it is."""

    name: str = ""
    namespace: str = ""
    uid: PodUid = PodUid("")
    owner_references: tuple[Owner, ...] | None = None


class PodRef(Wire, frozen=True):
    """The pod being scheduled, reduced to its identity."""

    metadata: PodMeta = PodMeta()

    @property
    def uid(self) -> PodUid:
        """The pod's identity."""
        return self.metadata.uid

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return f"{self.metadata.namespace}/{self.metadata.name}"

    @property
    def owner(self) -> str:
        """The pod's controller, as `app.model.early.owner_of` names it; empty where it has none."""
        owners = self.metadata.owner_references or ()
        found = next((each.uid for each in owners if each.controller), "")
        return f"{self.metadata.namespace}/{found}" if found else ""


class NodeSpec(Wire, frozen=True):
    """What a node in the list says about itself."""

    taints: tuple[Taint, ...] | None = None


class NodeName(Wire, frozen=True):
    """A node's metadata, reduced to its name."""

    name: str = ""


class NodeItem(Wire, frozen=True):
    """One item of a node list."""

    metadata: NodeName = NodeName()
    spec: NodeSpec = NodeSpec()


class NodeList(msgspec.Struct, frozen=True):
    """A v1.NodeList whose items stay as they came."""

    items: tuple[msgspec.Raw, ...] | None = None


class _Pascal(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """Base of the messages: Go writes these types' field names as they are."""


class _Args(_Pascal, frozen=True):
    pod: PodRef | None = None
    nodes: NodeList | None = None
    node_names: tuple[str, ...] | None = None


class _WholeArgs(_Pascal, frozen=True):
    pod: Pod


class _MetaPod(msgspec.Struct, frozen=True):
    uid: PodUid = msgspec.field(name="UID")


class _MetaVictims(_Pascal, frozen=True):
    pods: tuple[_MetaPod, ...] | None = None
    violations: int = msgspec.field(name="NumPDBViolations", default=0)


class _Victims(_Pascal, frozen=True):
    pods: tuple[PodRef, ...] | None = None
    violations: int = msgspec.field(name="NumPDBViolations", default=0)


class _PreemptionArgs(_Pascal, frozen=True):
    pod: msgspec.Raw = msgspec.Raw(_NULL)
    node_name_to_victims: dict[str, _Victims] | None = None
    node_name_to_meta_victims: dict[str, _MetaVictims] | None = None


class FilterArgs(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded ExtenderArgs: the pod and its candidate nodes, in the scheduler's order.

    `items` holds each node's own JSON where whole nodes were sent, and is None where names were;
    `tainted` are the names whose own JSON carries our taint.
    """

    pod: PodRef
    names: tuple[str, ...]
    items: dict[str, msgspec.Raw] | None = None
    tainted: frozenset[str] = frozenset()


class PreemptionArgs(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded ExtenderPreemptionArgs: the victims by node, always in the short form of the reply.

    `raw` is the pod's own JSON: who needs more than its identity decodes it with `whole_pod`.
    """

    pod: PodRef
    victims: dict[str, _MetaVictims]
    raw: msgspec.Raw

    def uids(self) -> dict[str, tuple[PodUid, ...]]:
        """The victims of each node."""
        return {name: tuple(pod.uid for pod in each.pods or ()) for name, each in self.victims.items()}


class _FilterResult(_Pascal, frozen=True):
    nodes: dict[str, object] | None
    node_names: tuple[str, ...] | None
    failed_nodes: dict[str, str]
    failed_and_unresolvable_nodes: Mapping[str, str]
    error: str


class _HostPriority(_Pascal, frozen=True):
    host: str
    score: int


class _PreemptionResult(_Pascal, frozen=True):
    node_name_to_meta_victims: dict[str, _MetaVictims]


def filter_args(body: bytes) -> FilterArgs:
    """The arguments of `filter` and `prioritize`.

    Raises:
        WireError: the body is not an ExtenderArgs.
    """
    args = _decoded(body, _Args)
    pod = _identified(args.pod)
    if args.node_names is not None:
        return FilterArgs(pod=pod, names=args.node_names)
    if args.nodes is None:
        raise WireError("neither NodeNames nor Nodes is given; send one, as nodeCacheCapable says")
    pairs = [(_item(raw), raw) for raw in args.nodes.items or ()]
    return FilterArgs(
        pod=pod,
        names=tuple(item.metadata.name for item, _ in pairs),
        items={item.metadata.name: raw for item, raw in pairs},
        tainted=frozenset(item.metadata.name for item, _ in pairs if _is_virtual(item)),
    )


def requests_in(body: bytes) -> Resources | None:
    """What the pod of `filter` asks for; None where nobody can say.

    Few answers need it, and to decode every pod whole would slow all of them down.
    """
    try:
        return requests_of(_decoded(body, _WholeArgs).pod)
    except (WireError, QuantityError):
        return None


def preemption_args(body: bytes) -> PreemptionArgs:
    """The arguments of `preempt`, full victims reduced to their uids.

    Raises:
        WireError: the body is not an ExtenderPreemptionArgs.
    """
    args = _decoded(body, _PreemptionArgs)
    pod = _identified(None if bytes(args.pod) == _NULL else _decoded(bytes(args.pod), PodRef))
    if args.node_name_to_meta_victims is not None:
        return PreemptionArgs(pod=pod, victims=args.node_name_to_meta_victims, raw=args.pod)
    full = args.node_name_to_victims or {}
    victims = {name: _short(each) for name, each in full.items()}
    return PreemptionArgs(pod=pod, victims=victims, raw=args.pod)


def whole_pod(args: PreemptionArgs) -> Pod:
    """The pod for which others would be evicted, with all that is known of it.

    Raises:
        WireError: it is no pod.
    """
    return _decoded(bytes(args.raw), Pod)


def filter_result(args: FilterArgs, verdict: Verdict) -> bytes:
    """The answer to `filter`, in the form of the question: names for names, nodes for nodes."""
    nodes: dict[str, object] | None = None
    if args.items is not None:
        nodes = {"metadata": {}, "items": [args.items[name] for name in verdict.passed]}
    return msgspec.json.encode(
        _FilterResult(
            nodes=nodes,
            node_names=None if nodes is not None else verdict.passed,
            failed_nodes={},
            failed_and_unresolvable_nodes=verdict.unresolvable,
            error="",
        )
    )


def host_priorities(scores: Sequence[tuple[str, int]]) -> bytes:
    """The answer to `prioritize`: a bare list of host and score, 0 to 10."""
    return msgspec.json.encode([_HostPriority(host=name, score=score) for name, score in scores])


def preemption_result(args: PreemptionArgs, kept: frozenset[str]) -> bytes:
    """The answer to `preempt`: the victims on the nodes that may be preempted on."""
    victims = {name: each for name, each in args.victims.items() if name in kept}
    return msgspec.json.encode(_PreemptionResult(node_name_to_meta_victims=victims))


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WireError(f"the body is not what kube-scheduler sends: {error}") from error


def _identified(pod: PodRef | None) -> PodRef:
    if pod is None:
        raise WireError("Pod is missing")
    if not pod.uid:
        raise WireError("Pod has no metadata.uid; send the pod as the API server gave it")
    return pod


def _item(raw: msgspec.Raw) -> NodeItem:
    item = _decoded(bytes(raw), NodeItem)
    if not item.metadata.name:
        raise WireError("a node in Nodes.items has no metadata.name")
    return item


def _is_virtual(item: NodeItem) -> bool:
    return any(marks_virtual(taint) for taint in item.spec.taints or ())


def _short(victims: _Victims) -> _MetaVictims:
    return _MetaVictims(
        pods=tuple(_MetaPod(uid=pod.uid) for pod in victims.pods or ()), violations=victims.violations
    )
