"""What the scheduler says about a pod that it did not place, as values."""

from datetime import datetime

import msgspec

from app.local.cluster.apiserver.api import Object
from app.local.cluster.scheduling.cycle import Unplaced
from app.model.pod import Pod, condition
from app.model.times import rfc3339


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The pod's `PodScheduled=False`.

    Attributes:
        reason: `Unschedulable`, which autoscalers act on, or `SchedulerError`.
        message: for people.
        rejectors: the plugins that turned it down; none for an error.
        nominated: its new `status.nominatedNodeName`; None leaves it.
    """

    reason: str
    message: str
    rejectors: frozenset[str] = frozenset()
    nominated: str | None = ""


def unscheduled(outcome: Unplaced) -> Report:
    """The report of a pod that fits nowhere."""
    return Report(
        reason="Unschedulable",
        message=outcome.message,
        rejectors=outcome.rejectors,
        nominated=outcome.nominated,
    )


def condition_patch(pod: Pod, report: Report, *, now: datetime) -> Object | None:
    """The change of the pod's status; None where it says the same already.

    Writing the same again would be an update of the pod, which wakes pods that an extender rejected.
    """
    patch: Object = {}
    known = condition(pod, "PodScheduled")
    said = None if known is None else (known.status, known.reason, known.message)
    if said != ("False", report.reason, report.message):
        since = known.last_transition_time if known is not None and known.status == "False" else None
        patch["conditions"] = [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": report.reason,
                "message": report.message,
                "lastTransitionTime": rfc3339(since or now),
            }
        ]
    if report.nominated is not None and report.nominated != pod.status.nominated_node_name:
        patch["nominatedNodeName"] = report.nominated
    return patch or None
