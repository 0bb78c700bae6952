"""Why one candidate may not burst now: what it asks for, what Fargate can run, and whether it is time."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from app.extender.decisions import Refuse, Wait
from app.extender.ledger import Lapses, held_off_until
from app.extender.pressure import Candidate, takes_pods_now, verdict_on
from app.model.names import MAX_WAIT, PodUid
from app.model.pod import Pod
from app.model.policy import Overflow, PolicyError, max_wait
from app.model.reason import Reason

NO_NODE_READY: Final = Reason("NoVirtualNodeReady", "no virtual node is ready; is the bridge running?")
NO_NODE_SUITS: Final = Reason(
    "NoVirtualNodeSuits",
    "no virtual node has the labels that nodeSelector or node affinity ask for; loosen them",
    "spec.affinity",
)
NOT_PREPARED: Final = Reason(
    "NotPrepared",
    "the pod lacks the toleration that the webhook adds: it was made before the namespace was labelled, or "
    "while the webhook did not run; recreate it",
    "spec.tolerations",
)
NOMINATED: Final = Reason(
    "NominatedNode", "a node is being made free for it by preemption, or is on its way; it waits for that"
)
REAL_NODE_FIRST: Final = Reason("MaxWait", "waits for a real node first, as its max-wait says")
NOT_TAKEN: Final = Reason(
    "GrantsUnused",
    "the scheduler left its grants unused; the PodScheduled condition says what else keeps the pod off",
)
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

Refusals = Callable[[Pod], tuple[Reason, ...]]
"""Why Fargate cannot run a pod (`app.fargate.eligibility.refusals`)."""


class GateConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's policy.

    Attributes:
        nomination: how long a pod that was nominated to a real node waits for it.
        max_wait: how long a pod waits for a real node where it does not say.
        grant_ttl: how long a grant stands before it is given anew.
        max_grants: how many grants may be open at once in the cluster.
        patience: unused grants in a row after which a pod is left alone for a while.
    """

    nomination: timedelta = timedelta(minutes=2)
    max_wait: timedelta = timedelta(0)
    grant_ttl: timedelta = timedelta(seconds=60)
    max_grants: int = 1000
    patience: int = 3


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What every pod is judged by: the time, the policy, what was tried before, and what Fargate can run."""

    now: datetime
    config: GateConfig
    lapses: Mapping[PodUid, Lapses]
    refusals: Refusals


def hindrance(candidate: Candidate, moment: Moment) -> Wait | Refuse | None:
    """Why the candidate may not burst now; None where it may."""
    pod = candidate.pod
    reasons = _refusal(candidate, moment.refusals)
    if reasons:
        return Refuse(pod, reasons)
    if not any(takes_pods_now(node, pod) for node in candidate.nodes):
        return Wait(pod, NO_NODE_READY)
    patient_until = _patient_until(candidate, moment.config)
    if moment.now < patient_until:
        return Wait(pod, REAL_NODE_FIRST, patient_until)
    nominated_until = _nominated_until(candidate, moment.config)
    if moment.now < nominated_until:
        return Wait(pod, NOMINATED, nominated_until)
    pause = held_off_until(
        moment.lapses.get(pod.uid), patience=moment.config.patience, ttl=moment.config.grant_ttl
    )
    if pause is not None and moment.now < pause:
        return Wait(pod, NOT_TAKEN, pause)
    return None


def _refusal(candidate: Candidate, refusals: Refusals) -> tuple[Reason, ...]:
    if candidate.invalid is not None:
        return (candidate.invalid,)
    reasons = (*_invalid_wait(candidate.pod), *refusals(candidate.pod))
    if candidate.nodes:
        return reasons
    if not candidate.prepared:
        return reasons or (NOT_PREPARED,)
    return (*reasons, NO_NODE_SUITS)


def _invalid_wait(pod: Pod) -> tuple[Reason, ...]:
    try:
        max_wait(pod.metadata.annotations, default=timedelta(0))
    except PolicyError as error:
        return (Reason("InvalidMaxWait", str(error), f"metadata.annotations[{MAX_WAIT}]"),)
    return ()


def _patient_until(candidate: Candidate, config: GateConfig) -> datetime:
    pod = candidate.pod
    since = _tried_since(pod)
    if since is None or candidate.overflow is Overflow.REQUIRED:
        return _LONG_AGO
    return since + max_wait(pod.metadata.annotations, default=config.max_wait)


def _nominated_until(candidate: Candidate, config: GateConfig) -> datetime:
    """The end of the wait for a nominated real node: its victims are being evicted already, or it is new.

    https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/#user-exposed-information
    """
    pod = candidate.pod
    name = pod.status.nominated_node_name
    since = _tried_since(pod)
    if not name or since is None or any(node.name == name for node in candidate.nodes):
        return _LONG_AGO
    return since + config.nomination


def _tried_since(pod: Pod) -> datetime | None:
    verdict = verdict_on(pod)
    return (verdict.last_transition_time if verdict else None) or pod.metadata.creation_timestamp
