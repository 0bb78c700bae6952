"""Why an overflow pod stays on Fargate whatever room there is: who it belongs to, and what people said."""

from datetime import datetime, timedelta
from typing import Final

from app.extender.homing.fit import unjudged
from app.model.names import OVERFLOW, REQUIRED
from app.model.pod import Pod, condition, controller_of
from app.model.reason import Reason
from app.model.setting import named

SAFE_TO_EVICT: Final = "cluster-autoscaler.kubernetes.io/safe-to-evict"
DO_NOT_DISRUPT: Final = "karpenter.sh/do-not-disrupt"
"""Annotations by which people keep autoscalers from moving a pod; they hold here as well."""

BARE: Final = Reason("BarePod", "no controller would make it anew; delete it yourself to run it elsewhere")
ONLY_FARGATE: Final = Reason(
    "OverflowRequired", f"label {OVERFLOW} is {REQUIRED}: it runs on Fargate only", "metadata.labels"
)
LEAVING: Final = Reason("AlreadyLeaving", "it is being deleted")
JOB: Final = Reason(
    "JobPod",
    f"a Job's work would begin anew; {named('extender', 'return_jobs')} moves those that ignore disruptions",
)

RECENTLY_READY: Final = "RecentlyReady"
"""The code of the one reason that passes by itself while the pod runs on as it is."""

_REPLACED: Final = frozenset({"ReplicaSet", "StatefulSet", "ReplicationController"})
"""Kinds whose replicas are asked for before one is taken; each makes a lost one anew."""

_JOB: Final = "Job"


def anchor(pod: Pod, *, now: datetime, after: timedelta, jobs: bool) -> Reason | None:
    """The first reason why the pod itself must stay; None where it may go.

    Args:
        pod: a pod that is bound to a virtual node and has not ended.
        now: the time.
        after: how long it must have been Ready.
        jobs: whether pods of Jobs may be moved.
    """
    return _of_owner(pod, jobs=jobs) or _of_people(pod) or _of_constraints(pod) or _of_age(pod, now, after)


def _of_owner(pod: Pod, *, jobs: bool) -> Reason | None:
    owner = controller_of(pod)
    if owner is None:
        return BARE
    if owner.kind == _JOB and not jobs:
        return JOB
    if owner.kind in _REPLACED or owner.kind == _JOB:
        return None
    return Reason("ControllerUnknown", f"how many replicas its {owner.kind} has is not known here")


def _of_people(pod: Pod) -> Reason | None:
    if pod.metadata.deletion_timestamp is not None:
        return LEAVING
    if pod.metadata.labels.get(OVERFLOW) == REQUIRED:
        return ONLY_FARGATE
    said = pod.metadata.annotations
    if said.get(SAFE_TO_EVICT) == "false":
        return _kept(SAFE_TO_EVICT)
    return _kept(DO_NOT_DISRUPT) if said.get(DO_NOT_DISRUPT, "false") != "false" else None


def _kept(annotation: str) -> Reason:
    return Reason("KeptByAnnotation", f"annotation {annotation} forbids moving it", "metadata.annotations")


def _of_constraints(pod: Pod) -> Reason | None:
    fields = unjudged(pod)
    if not fields:
        return None
    what = ", ".join(fields)
    return Reason("FitUnknown", f"whether a real node would take it cannot be told from here: {what}", "spec")


def is_ready(pod: Pod) -> bool:
    """Whether the pod says that it is Ready."""
    ready = condition(pod, "Ready")
    return ready is not None and ready.status == "True"


def _of_age(pod: Pod, now: datetime, after: timedelta) -> Reason | None:
    ready = condition(pod, "Ready")
    if ready is None or ready.status != "True":
        return Reason("NotReady", "it is not Ready; moving it would help nobody")
    since = ready.last_transition_time
    if since is not None and now - since < after:
        return Reason(RECENTLY_READY, f"it is Ready for less than {after.total_seconds():.0f} s")
    return None
