"""What `homing` says of overflow pods: who would go home now, and why the others stay.

How long room has lasted, only the leader knows. Here it counts as having lasted, so that what would come next
is seen as well; the wait itself is told in words.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from app.extender.homing.memory import ReturnMemory
from app.extender.homing.returning import objection, overflow_pods, plan_returns
from app.extender.homing.trials import merged, read_trials
from app.extender.insight.seen import Seen
from app.model.names import PodUid
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.replicas import Replicas
from app.model.setting import named

RETURNS_OFF: Final = Reason(
    "ReturnsOff",
    f"the extender moves no pods home: {named('extender', 'return_home')} is off; its controller or you may",
)
NO_LONGER_THERE: Final = Reason("NotLooked", "it came onto the virtual node only now")

Asked = Replicas | Literal["unasked"] | None
"""What the controller says of its replicas: None where it is gone."""


class Homing(msgspec.Struct, frozen=True, kw_only=True):
    """Who could go home as the nodes are now, and why the others stay."""

    going: frozenset[PodUid]
    stays: Mapping[PodUid, Reason]


def homing(seen: Seen) -> Homing:
    """What would be decided if the room that there is had lasted for long."""
    pods = overflow_pods(seen.facts)
    config = seen.policy.returns
    if config is None:
        return Homing(going=frozenset(), stays={pod.uid: RETURNS_OFF for pod in pods})
    trials = [trial for node in seen.facts.virtual for trial in read_trials(node.metadata.annotations)]
    returns = plan_returns(
        seen.facts,
        ReturnMemory(
            fits_since=dict.fromkeys((pod.uid for pod in pods), seen.now - config.after),
            trials=merged(trials),
        ),
        now=seen.now,
        config=config,
    )
    return Homing(going=frozenset(each.pod.uid for each in returns.evict), stays=returns.stays)


def home_of(pod: Pod, seen: Seen, *, replicas: Asked = "unasked") -> Reason:
    """Why this overflow pod has not come home, or that it is about to."""
    found = homing(seen)
    config = seen.policy.returns
    if pod.uid not in found.going or config is None:
        return found.stays.get(pod.uid, NO_LONGER_THERE)
    against = None if replicas == "unasked" else objection(replicas, config=config)
    return against or Reason(
        "GoesHome",
        "a real node has room for it, and its controller can do without it for a moment; it is evicted when "
        f"the room has lasted for {config.after.total_seconds():.0f} s, at most {config.batch} pods at once",
    )
