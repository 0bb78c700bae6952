"""Whether a pod on our node may cost money: what its namespace and its own label say, and who placed it.

The scheduler and the gate ask the labels before they place a pod. A pod that names the node itself
(`spec.nodeName`) passes both by, and all budgets, so it is refused here, before its first task.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.model.names import (
    COMPUTE_TYPE,
    COMPUTE_TYPE_LABEL,
    DISABLED,
    ENABLED,
    OVERFLOW,
    PERMITTED,
    TAINT_KEY,
)
from app.model.namespace import SYSTEM
from app.model.pod import Pod, condition, is_bound
from app.model.policy import Overflow, PolicyError, overflow_of
from app.model.times import later

BELATED: Final = timedelta(seconds=10)
"""Labels come by a watch of their own: a refusal is not believed before it had this time to catch up."""


def refusal(pod: Pod, *, labels: Mapping[str, str] | None) -> str:
    """Why the pod may not run as a task, with the mend; empty where it may.

    Asked as long as no task of the pod was seen: an attempt that is written on it may be anybody's words. A
    label that is taken off later ends nothing: the pod's task runs on, and the pod keeps its right to further
    attempts (after a crash, say).

    Args:
        pod: bound to our node.
        labels: its namespace's; None where there is no such namespace.
    """
    namespace = pod.metadata.namespace
    if labels is None:
        return f"namespace {namespace} is not there, so nobody opted in; create it with the label {OVERFLOW}"
    try:
        answer = overflow_of(namespace=labels, pod=pod.metadata.labels)
    except PolicyError as error:
        return str(error)
    if answer is not Overflow.NO:
        return ""
    return _why_not(pod, standing=labels.get(OVERFLOW, ""))


def _why_not(pod: Pod, *, standing: str) -> str:
    namespace = pod.metadata.namespace
    if namespace == SYSTEM:
        return f"namespace {namespace} is Kubernetes' own, and its pods stay on real nodes; {_kept_off(pod)}"
    if standing not in {ENABLED, PERMITTED}:
        return (
            f"namespace {namespace} does not have the label {OVERFLOW}; "
            f"kubectl label namespace {namespace} {OVERFLOW}={ENABLED} opts it in, unless the webhook leaves "
            f"it out (webhook.excludedNamespaces); to keep the pod off, {_kept_off(pod)}"
        )
    if OVERFLOW in pod.metadata.labels:
        return f"the pod's own label {OVERFLOW}={DISABLED} forbids it; take that off, or spec.nodeName"
    return (
        f"namespace {namespace} lets in only pods that ask; label the pod {OVERFLOW}={ENABLED}, "
        f"or the namespace {OVERFLOW}={ENABLED} for all its pods"
    )


def _kept_off(pod: Pod) -> str:
    """How it is brought to stay on real nodes."""
    if not is_bound(pod):
        return "name another node, or leave spec.nodeName out"
    return (
        f"take the toleration away that bears {TAINT_KEY}, or add a node affinity: "
        f"{COMPUTE_TYPE_LABEL} NotIn [{COMPUTE_TYPE}]"
    )


UNSCHEDULED: Final = (
    "no scheduler placed it on this node, so that no budget let it pass; leave spec.nodeName out, and it "
    "runs here when it may"
)


def is_refused(pod: Pod, *, labels: Mapping[str, str] | None) -> bool:
    """Whether the pod may not run as a task, for one reason or the other."""
    return bool(refusal(pod, labels=labels)) or not is_bound(pod)


def believed_at(pod: Pod) -> datetime | None:
    """From when on a refusal counts; None for a pod without a time, where it counts at once."""
    scheduled = condition(pod, "PodScheduled")
    bound = scheduled.last_transition_time if scheduled is not None and scheduled.status == "True" else None
    since = bound or pod.metadata.creation_timestamp
    return later(since, BELATED) if since is not None else None
