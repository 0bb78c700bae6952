"""Placeholder pods: they ask the autoscaler for room in the name of overflow pods, and keep it for them.

One stands for one overflow pod and asks for what that pod asks for, on the nodes that it could use. The
priority is negative: whoever is in need pushes it aside, and it pushes nobody. Autoscalers act on it as on
any pod: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md (overprovisioning)
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.model.names import (
    NODE_TYPE_LABEL,
    PLACEHOLDER_FOR,
    PLACEHOLDER_OF,
    TAINT_KEY,
    VIRTUAL_KUBELET,
    PodUid,
)
from app.model.pod import Pod, Toleration, is_terminal
from app.model.requests import requests_of
from app.model.wire import Json

PRIORITY: Final = -5
"""Below everybody who says nothing; not below -10, from where cluster-autoscaler no longer adds nodes."""

_PREFIX: Final = "spillway-placeholder-"
_NOBODY: Final = 65535
"""The user that the pause image names itself."""

_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_NOT_VIRTUAL: Final = {"key": NODE_TYPE_LABEL, "operator": "NotIn", "values": [VIRTUAL_KUBELET]}


class PlaceholderConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How placeholders are made.

    Attributes:
        namespace: Spillway's own; it is not opted in, so that no placeholder ever bursts.
        image: does nothing, for ever.
        priority_class: the class with `PRIORITY`.
        life: how long one may run; after that the kubelet ends it, whether or not a leader lives.
    """

    namespace: str = "spillway"
    image: str = "registry.k8s.io/pause:3.10"
    priority_class: str = "spillway-placeholder"
    life: timedelta = timedelta(hours=1)


class Placeholder(msgspec.Struct, frozen=True, kw_only=True):
    """One as it is now.

    Attributes:
        pod: as the watch shows it, which keeps little of pods on real nodes.
        stands_for: the overflow pod.
        made: when it was created, or first seen.
    """

    pod: Pod
    stands_for: PodUid
    made: datetime

    @property
    def waits(self) -> bool:
        """Whether it has no node yet, or does not run there yet."""
        return self.pod.status.phase == "Pending"

    @property
    def is_over(self) -> bool:
        """Whether it ended by itself, or the kubelet ended it."""
        return is_terminal(self.pod)


def placeholder_of(pod: Pod, *, namespace: str, made: datetime) -> Placeholder | None:
    """The pod as a placeholder of ours; None where it is none, or on its way out.

    Its name alone says whom it stands for: it is all that is kept of a pod once it has a node. Its priority
    does not count: whatever it was given, it has to be taken away in its time.

    Args:
        pod: any pod.
        namespace: Spillway's own.
        made: when it was first seen, where it does not say when it was created.
    """
    meta = pod.metadata
    if meta.namespace != namespace or not meta.name.startswith(_PREFIX):
        return None
    if meta.deletion_timestamp is not None:
        return None
    uid = PodUid(meta.name.removeprefix(_PREFIX))
    return Placeholder(pod=pod, stands_for=uid, made=meta.creation_timestamp or made)


def manifest(pod: Pod, config: PlaceholderConfig) -> dict[str, Json]:
    """The placeholder for an overflow pod. Its name is made of the pod's uid, so that there is only one.

    Raises:
        QuantityError: what the pod asks for does not parse.
    """
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{_PREFIX}{pod.uid}",
            "namespace": config.namespace,
            "labels": {PLACEHOLDER_FOR: pod.uid, "app.kubernetes.io/managed-by": "spillway"},
            "annotations": {PLACEHOLDER_OF: pod.key},
        },
        "spec": {
            "containers": [_container(pod, config)],
            "priorityClassName": config.priority_class,
            "schedulerName": pod.spec.scheduler_name,
            "nodeSelector": pod.spec.node_selector,
            "affinity": {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": _terms(pod)}}},
            "tolerations": [msgspec.to_builtins(each) for each in pod.spec.tolerations if not _is_ours(each)],
            "activeDeadlineSeconds": max(1, round(config.life.total_seconds())),
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _NOBODY,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        },
    }


def _container(pod: Pod, config: PlaceholderConfig) -> dict[str, Json]:
    asked = requests_of(pod).wire()
    requests = {name: text for name, text in asked.items() if name != "pods" and text != "0"}
    return {
        "name": "pause",
        "image": config.image,
        "resources": {"requests": requests},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _terms(pod: Pod) -> list[Json]:
    """The pod's required terms, each without virtual nodes: a toleration of everything bears with ours too.

    Terms are ORed, so each needs it; an empty one matches no node, and stays as it is.
    """
    node = (pod.spec.affinity or {}).get("nodeAffinity") or {}
    terms = (node.get(_REQUIRED) or {}).get("nodeSelectorTerms")
    if not terms:
        return [{"matchExpressions": [_NOT_VIRTUAL]}]
    return [_narrowed(term) for term in terms]


def _narrowed(term: dict[str, Json]) -> dict[str, Json]:
    expressions = term.get("matchExpressions") or []
    if not expressions and not term.get("matchFields"):
        return term
    return {**term, "matchExpressions": [*expressions, _NOT_VIRTUAL]}


def _is_ours(toleration: Toleration) -> bool:
    return toleration.key == TAINT_KEY
