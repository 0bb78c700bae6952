"""Pods that the webhook would have prepared and did not: whether it runs at all is seen by nothing else.

It fails open (failurePolicy Ignore): while it is down, pods are created as their owners wrote them. In a
labelled namespace such a pod cannot burst, and one that must overflow lands on a real node.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from app.extender.cluster.affinity import required_of
from app.extender.decision.candidates import wish
from app.extender.decision.hindrance import Refusals
from app.fargate import eligibility
from app.model import policy
from app.model.actuator import SCHEDULER, Actuator, tolerates_virtual_nodes
from app.model.affinity import speaks_of
from app.model.names import NODE_TYPE_LABEL, OVERFLOW, REQUIRED
from app.model.namespace import SYSTEM, Namespace
from app.model.pod import Pod, is_bound, is_terminal
from app.model.policy import Overflow, PolicyError
from app.model.reason import Reason
from app.model.times import rfc3339

RECENT: Final = timedelta(hours=1)
"""For how long after its creation a pod without a node speaks of the webhook: then it speaks of itself."""


def unprepared(
    pods: Iterable[Pod],
    *,
    namespaces: Mapping[str, Namespace],
    own: str,
    actuator: Actuator,
    now: datetime,
    refusals: Refusals = eligibility.refusals,
) -> tuple[Pod, ...]:
    """The living pods that lack what the webhook adds, the oldest first.

    Those without a node, if they are new; those on real nodes, if they must overflow. Of others on real
    nodes nobody needs to know.

    Args:
        pods: all of the cluster; those that are reduced (`app.extender.cluster.reduction`) do not count.
        namespaces: by name. The webhook is never asked about those of Kubernetes and Spillway, whatever their
            labels, and the chart's value `webhook.excludedNamespaces` is not known here.
        own: Spillway's namespace.
        actuator: with `toleration`, the webhook holds the toleration back.
        now: what is new is judged by it.
        refusals: why Fargate cannot run a pod; the webhook leaves those alone.
    """
    asked = {name: each for name, each in namespaces.items() if name not in {SYSTEM, own}}
    found = [
        pod
        for pod in pods
        if _matters(pod, now) and _lacks(pod, asked, actuator) and _was_for_it(pod, refusals)
    ]
    return tuple(sorted(found, key=lambda pod: (_created(pod, now), pod.key)))


def webhook_missed(found: Sequence[Pod], *, now: datetime) -> Reason | None:
    """What is to be told of them; None where there is none."""
    if not found:
        return None
    first, count = found[0], len(found)
    pods = "1 pod of a labelled namespace was" if count == 1 else f"{count} pods of labelled namespaces were"
    mend = "it must be made anew" if count == 1 else "they must be made anew"
    return Reason(
        "WebhookMissed",
        f"{pods} created without the webhook since {rfc3339(_created(first, now))} (the oldest is "
        f"{first.key}): is it running, did the namespace's label come later, or is the namespace in "
        f"webhook.excludedNamespaces? Look at the webhook's pods and logs; {mend}",
    )


def _matters(pod: Pod, now: datetime) -> bool:
    if is_terminal(pod) or pod.metadata.deletion_timestamp is not None:
        return False
    if pod.spec.node_name:
        return pod.metadata.labels.get(OVERFLOW) == REQUIRED and is_bound(pod)
    return now - _created(pod, now) <= RECENT


def _lacks(pod: Pod, namespaces: Mapping[str, Namespace], actuator: Actuator) -> bool:
    wished = wish(pod, namespaces)
    if wished is Overflow.REQUIRED and not _is_confined(pod):
        return True
    if wished not in {Overflow.REQUIRED, Overflow.ALLOWED}:
        return False
    if actuator == SCHEDULER:
        return not tolerates_virtual_nodes(pod)
    return not speaks_of(pod.spec.affinity, NODE_TYPE_LABEL)


def _is_confined(pod: Pod) -> bool:
    """Whether all its required affinity speaks of the nodes' type, as the webhook writes it."""
    try:
        terms = required_of(pod) or ()
    except msgspec.ValidationError:
        return False
    return bool(terms) and all(
        any(each.key == NODE_TYPE_LABEL for each in term.match_expressions) for term in terms
    )


def _was_for_it(pod: Pod, refusals: Refusals) -> bool:
    """Whether the webhook would have prepared it: it leaves alone what Fargate cannot run."""
    try:
        policy.max_wait(pod.metadata.annotations, default=timedelta())
    except PolicyError:
        return False
    return not eligibility.machine_bound(pod) and not refusals(pod)


def _created(pod: Pod, now: datetime) -> datetime:
    return pod.metadata.creation_timestamp or now
