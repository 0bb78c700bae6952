"""kube-scheduler's extender protocol as it stands on the wire: capitalised keys, both ways to name nodes.

With `nodeCacheCapable: true` the scheduler sends `NodeNames`, otherwise whole `Nodes`. Only what a verdict
needs is decoded; surviving nodes are echoed byte for byte.

https://pkg.go.dev/k8s.io/kube-scheduler/extender/v1
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from app.extender.verdict import Verdict
from app.model.names import PodUid
from app.model.node import Taint, marks_virtual
from app.model.wire import Wire

T = TypeVar("T")


class WireError(ValueError):
    """The request is not one that kube-scheduler sends; the message names the mend."""


class PodMeta(Wire, frozen=True):
    """Which pod it is."""

    name: str = ""
    namespace: str = ""
    uid: PodUid = PodUid("")


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


class _MetaPod(msgspec.Struct, frozen=True):
    uid: str = msgspec.field(name="UID")


class _MetaVictims(_Pascal, frozen=True):
    pods: tuple[_MetaPod, ...] | None = None
    violations: int = msgspec.field(name="NumPDBViolations", default=0)


class _Victims(_Pascal, frozen=True):
    pods: tuple[PodRef, ...] | None = None
    violations: int = msgspec.field(name="NumPDBViolations", default=0)


class _PreemptionArgs(_Pascal, frozen=True):
    pod: PodRef | None = None
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
    """A decoded ExtenderPreemptionArgs: the victims by node, always in the short form of the reply."""

    pod: PodRef
    victims: dict[str, _MetaVictims]


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


def preemption_args(body: bytes) -> PreemptionArgs:
    """The arguments of `preempt`, full victims reduced to their uids.

    Raises:
        WireError: the body is not an ExtenderPreemptionArgs.
    """
    args = _decoded(body, _PreemptionArgs)
    pod = _identified(args.pod)
    if args.node_name_to_meta_victims is not None:
        return PreemptionArgs(pod=pod, victims=args.node_name_to_meta_victims)
    full = args.node_name_to_victims or {}
    return PreemptionArgs(pod=pod, victims={name: _short(victims) for name, victims in full.items()})


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
