"""Why a pod is none that may overflow: which label is missing, and where."""

from collections.abc import Mapping
from typing import Final

from app.model.meta import OwnerReference
from app.model.names import DISABLED, ENABLED, OVERFLOW, PERMITTED
from app.model.namespace import SYSTEM, Namespace
from app.model.pod import Pod, controller_of
from app.model.reason import Reason

POD_TEMPLATE_HASH: Final = "pod-template-hash"
"""Label that a Deployment gives the pods of each of its ReplicaSets, whose name ends with it."""


def not_opted_in(pod: Pod, namespaces: Mapping[str, Namespace], *, own: str) -> Reason:
    """The reason for a pod that `candidates.wish` says may not overflow, with the command that lets it.

    Args:
        pod: as it stands.
        namespaces: by name.
        own: Spillway's namespace.
    """
    name = pod.metadata.namespace
    if name in {SYSTEM, own}:
        whose = "Kubernetes' own" if name == SYSTEM else "Spillway's own"
        words = f"namespace {name} is {whose}, which the webhook leaves out: its pods stay on real nodes"
        return Reason("NamespaceLeftOut", words, "metadata.namespace")
    namespace = namespaces.get(name)
    standing = namespace.metadata.labels.get(OVERFLOW, "") if namespace is not None else ""
    if standing in {ENABLED, PERMITTED}:
        return _by_itself(pod, standing)
    has = f'says "{standing[:63]}", which means nothing' if standing else "is missing"
    also = "; the pod's own label counts only then" if OVERFLOW in pod.metadata.labels else ""
    return Reason(
        "NamespaceNotOptedIn",
        f"the label {OVERFLOW} of namespace {name} {has}: "
        f"kubectl label --overwrite namespace {name} {OVERFLOW}={ENABLED}, {anew(pod)}{also}",
    )


def anew(pod: Pod) -> str:
    """How the pod is made anew: only a pod that is being made passes the webhook."""
    owner = controller_of(pod)
    if owner is None:
        return "then delete the pod and make it anew"
    space, deployment = pod.metadata.namespace, _deployment_of(pod, owner)
    restarted = f"deployment/{deployment}" if deployment else f"statefulset/{owner.name}"
    if deployment or owner.kind == "StatefulSet":
        return f"then make the pod anew (kubectl rollout restart -n {space} {restarted})"
    return f"then make the pod anew (kubectl delete pod -n {space} {pod.metadata.name})"


def is_made_by(pod: Pod, *, kind: str, name: str) -> bool:
    """Whether this controller made the pod; a Deployment does so through its ReplicaSets."""
    owner = controller_of(pod)
    if owner is None:
        return False
    return (owner.kind, owner.name) == (kind, name) or (
        kind == "Deployment" and bool(name) and _deployment_of(pod, owner) == name
    )


def _deployment_of(pod: Pod, owner: OwnerReference) -> str:
    """The name of the pod's Deployment; empty where a ReplicaSet by itself, or another kind, made the pod."""
    template = pod.metadata.labels.get(POD_TEMPLATE_HASH, "")
    if owner.kind != "ReplicaSet" or not template or not owner.name.endswith(f"-{template}"):
        return ""
    return owner.name.removesuffix(f"-{template}")


def _by_itself(pod: Pod, standing: str) -> Reason:
    if pod.metadata.labels.get(OVERFLOW) == DISABLED:
        return Reason(
            "PodOptedOut",
            f"the pod's own label {OVERFLOW} is {DISABLED}; take it out of the pod template, {anew(pod)}",
            "metadata.labels",
        )
    return Reason(
        "PodNotOptedIn",
        f"namespace {pod.metadata.namespace} lets only those pods overflow that ask for it ({standing}); "
        f"give the pod template the label {OVERFLOW}={ENABLED}, {anew(pod)}",
        "metadata.labels",
    )
