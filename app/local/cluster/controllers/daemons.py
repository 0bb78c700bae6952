"""Which nodes a DaemonSet's pods belong on, what its next round does, and what it reports.

https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from app.local.cluster.controllers.objects import DaemonSet, DaemonUpdate, share
from app.local.cluster.controllers.replicas import is_available, is_ready
from app.local.cluster.scheduling.affinity import matches_required
from app.model.node import Node
from app.model.pod import Pod, Toleration, tolerates
from app.model.wire import Json

HASH_LABEL = "controller-revision-hash"
_UNREADY = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_PRESSURES = (
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unschedulable",
)
_NETWORK = "node.kubernetes.io/network-unavailable"


class DaemonPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one round does.

    Attributes:
        create: nodes that should run a daemon and have none.
        delete: pods where none should be, second ones, and old ones that may be replaced now.
        failed: pods that are over: deleted as well, so that the next round makes new ones.
    """

    create: tuple[str, ...] = ()
    delete: tuple[Pod, ...] = ()
    failed: tuple[Pod, ...] = ()


def pinned(template: dict[str, Json], node: str) -> dict[str, Json]:
    """The template with what the controller adds: pinned to the node, bearing with the node's troubles."""
    spec = dict(template.get("spec") or {})
    affinity = dict(spec.get("affinity") or {})
    node_affinity = dict(affinity.get("nodeAffinity") or {})
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    node_affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {
        "nodeSelectorTerms": [{"matchFields": [field]}]
    }
    tolerations = [*(spec.get("tolerations") or ()), *_added_tolerations(spec)]
    spec |= {"affinity": {**affinity, "nodeAffinity": node_affinity}, "tolerations": tolerations}
    return {**template, "spec": spec}


def should_run(daemon_set: DaemonSet, node: Node) -> bool:
    """Whether the node is one of the DaemonSet's: its affinity accepts it and it bears with its taints."""
    return _accepts(daemon_set, node, effects=frozenset({"NoSchedule", "NoExecute"}))


def may_stay(daemon_set: DaemonSet, node: Node) -> bool:
    """Whether a daemon that runs there already may go on: a NoSchedule taint does not drive it away."""
    return _accepts(daemon_set, node, effects=frozenset({"NoExecute"}))


def plan(
    daemon_set: DaemonSet, nodes: Sequence[Node], owned: Sequence[Pod], *, revision: str, now: datetime
) -> DaemonPlan:
    """The next round.

    Args:
        daemon_set: as it is now.
        nodes: all nodes.
        owned: its pods, those on their way out included: they still hold their node.
        revision: the hash of the current template; pods with another one are old.
        now: the time, for minReadySeconds.
    """
    by_node: dict[str, list[Pod]] = {}
    for pod in owned:
        by_node.setdefault(target(pod), []).append(pod)
    create = [node.name for node in nodes if should_run(daemon_set, node) and not by_node.get(node.name)]
    failed = [pod for pod in owned if pod.status.phase == "Failed" and not _is_leaving(pod)]
    homes = {node.name for node in nodes if may_stay(daemon_set, node)}
    surplus: list[Pod] = []
    for name, pods in by_node.items():
        staying = sorted((pod for pod in pods if not _is_leaving(pod) and pod not in failed), key=_age)
        surplus += staying[1:] if name in homes else staying
    old = _replaceable(daemon_set, owned, homes, revision=revision, now=now)
    unwanted = {pod.uid: pod for pod in (*surplus, *old)}
    return DaemonPlan(create=tuple(create), delete=tuple(unwanted.values()), failed=tuple(failed))


def status(
    daemon_set: DaemonSet, nodes: Sequence[Node], owned: Sequence[Pod], *, revision: str, now: datetime
) -> dict[str, Json]:
    """A DaemonSetStatus."""
    wanted = {node.name for node in nodes if should_run(daemon_set, node)}
    placed = {target(pod): pod for pod in owned if not _is_leaving(pod)}
    here = [placed[name] for name in wanted if name in placed]
    seconds = daemon_set.spec.min_ready_seconds
    available = sum(is_available(pod, min_ready_seconds=seconds, now=now) for pod in here)
    return {
        "desiredNumberScheduled": len(wanted),
        "currentNumberScheduled": len(here),
        "numberMisscheduled": sum(name not in wanted for name in placed),
        "numberReady": sum(is_ready(pod) for pod in here),
        "numberAvailable": available,
        "numberUnavailable": len(wanted) - available,
        "updatedNumberScheduled": sum(pod.metadata.labels.get(HASH_LABEL) == revision for pod in here),
        "observedGeneration": daemon_set.metadata.generation,
    }


def target(pod: Pod) -> str:
    """The node that the pod runs on, or is pinned to."""
    if pod.spec.node_name:
        return pod.spec.node_name
    required = ((pod.spec.affinity or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and field.get("values"):
                return str(field["values"][0])
    return ""


def _accepts(daemon_set: DaemonSet, node: Node, *, effects: frozenset[str]) -> bool:
    pod = template_pod(daemon_set)
    if pod.spec.node_name not in {"", node.name} or not matches_required(pod, node):
        return False
    return all(
        tolerates(pod, key=taint.key, value=taint.value, effect=taint.effect)
        for taint in node.spec.taints
        if taint.effect in effects
    )


def template_pod(daemon_set: DaemonSet) -> Pod:
    """The template as a pod, with the tolerations that its pods will have, for asking where it would go."""
    spec = daemon_set.spec.template.get("spec") or {}
    pod = msgspec.convert({"spec": spec}, Pod)
    added = tuple(msgspec.convert(each, Toleration) for each in _added_tolerations(spec))
    return msgspec.structs.replace(
        pod, spec=msgspec.structs.replace(pod.spec, tolerations=pod.spec.tolerations + added)
    )


def _added_tolerations(spec: dict[str, Json]) -> list[dict[str, str]]:
    keys = [(key, "NoExecute") for key in _UNREADY] + [(key, "NoSchedule") for key in _PRESSURES]
    if spec.get("hostNetwork"):
        keys.append((_NETWORK, "NoSchedule"))
    return [{"key": key, "operator": "Exists", "effect": effect} for key, effect in keys]


def _replaceable(
    daemon_set: DaemonSet, owned: Sequence[Pod], homes: set[str], *, revision: str, now: datetime
) -> list[Pod]:
    """Old pods that may go now: those that serve nobody, and others as `maxUnavailable` allows."""
    strategy = daemon_set.spec.update_strategy
    if strategy.type == "OnDelete":
        return []
    seconds = daemon_set.spec.min_ready_seconds
    staying = [pod for pod in owned if not _is_leaving(pod) and target(pod) in homes]
    serving = [pod for pod in staying if is_available(pod, min_ready_seconds=seconds, now=now)]
    old = [pod for pod in staying if pod.metadata.labels.get(HASH_LABEL) != revision]
    idle = [pod for pod in old if pod not in serving]
    most = share((strategy.rolling_update or DaemonUpdate()).max_unavailable, len(homes), round_up=True)
    budget = max(0, max(1, most) - (len(homes) - len(serving)))
    return idle + [pod for pod in old if pod in serving][:budget]


def _is_leaving(pod: Pod) -> bool:
    return pod.metadata.deletion_timestamp is not None


def _age(pod: Pod) -> tuple[bool, str]:
    """Bound before unbound, then oldest first."""
    created = pod.metadata.creation_timestamp
    return (not pod.spec.node_name, created.isoformat() if created else "")
