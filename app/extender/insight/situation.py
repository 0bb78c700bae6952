"""Where a pod stands on its way: what has been decided about it, or why nobody has to decide yet."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Literal, assert_never, get_args

import msgspec

from app.extender.cluster import affinity
from app.extender.decision.candidates import (
    ASKS_ELSEWHERE,
    UNSCHEDULABLE,
    candidate_of,
    verdict_on,
    wish,
)
from app.extender.decision.decisions import Burst, Refuse, Wait, WouldBurst
from app.extender.decision.hindrance import unfit
from app.extender.decision.mode import GATE_CLOSED, GIVES_GRANTS
from app.extender.insight.life import Fate, Life, bound_since, life_of
from app.extender.insight.opting import not_opted_in
from app.extender.insight.seen import Seen
from app.model.grant import Grant
from app.model.pod import Pod, condition, is_of_daemon_set, is_terminal
from app.model.policy import Overflow
from app.model.reason import Reason

State = Literal[
    "not-opted-in",
    "on-node",
    "on-fargate",
    "daemon-set",
    "gated",
    "unscheduled",
    "granted",
    "due",
    "observed",
    "waiting",
    "refused",
    "leaving",
    "ended",
    "failing",
    "rejected",
    "failed",
]
"""Where a pod stands.

- `not-opted-in`: it has no node, and its labels keep it off Fargate.
- `on-node`: it has a real node; it did not need to burst.
- `on-fargate`: it is on a virtual node.
- `daemon-set`: a DaemonSet's pod, which never bursts.
- `gated`, `unscheduled`: the scheduler has not tried it, or has not said that it finds no node.
- `granted`: it has leave to land on a virtual node.
- `due`: nothing keeps it; the leader grants it a place in its next turn.
- `observed`: the same, but that the gate only observes.
- `waiting`: it will burst when something is over.
- `refused`: it will not, as things are.
- `failing`: it has a place on Fargate and does not run there, as in a crash loop or for want of capacity.
- `rejected`: the bridge does not run it.
- `leaving`, `ended`, `failed`: its life is about to be over, is over, or ended badly.
"""

NO_VIRTUAL_NODE: Final = Reason("NoVirtualNode", "there is no virtual node; `spillway status` says more")
NOT_LED: Final = Reason(
    "NoLeader", "no extender leads, so nobody gives it a place; `spillway status` says what is wrong"
)
TOO_NEW: Final = Reason(
    "ChangedMeanwhile", "it came to be without a node while the cluster was looked at; ask again"
)
WITHDRAWN: Final = Reason(
    "GrantWithdrawn", "its grant is being taken back: a budget, or the mode of the gate, no longer allows it"
)

_ENDED: Final[Mapping[Fate, State]] = {"well": "ended", "rejected": "rejected", "failed": "failed"}
_ON_FARGATE: Final[Mapping[Fate, State]] = {
    "well": "on-fargate",
    "held-up": "failing",
    "rejected": "rejected",
}
_ON_NODE: Final[Mapping[Fate, State]] = dict.fromkeys(get_args(Fate), "on-node")


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """A pod's state, and what brought it there.

    Attributes:
        reasons: what keeps it where it is, every one.
        node: the node that it has, or has leave to land on.
        since: when the state began, as far as that is known.
        until: when the clock ends it; None where an event will.
        life: how it fares on the node that it has.
    """

    state: State
    reasons: tuple[Reason, ...] = ()
    node: str = ""
    since: datetime | None = None
    until: datetime | None = None
    life: Life = Life()


def situation_of(pod: Pod, seen: Seen) -> Situation:
    """Where the pod stands."""
    return _beyond_decision(pod, seen) or _untried(pod) or _granted(pod, seen) or _decided(pod, seen)


def _beyond_decision(pod: Pod, seen: Seen) -> Situation | None:
    """A pod about which nobody decides any more, or ever."""
    node = pod.spec.node_name
    if is_terminal(pod):
        return _placed(pod, _ENDED)
    if pod.metadata.deletion_timestamp is not None:
        return Situation(state="leaving", node=node, since=pod.metadata.deletion_timestamp)
    if is_of_daemon_set(pod):
        return Situation(state="daemon-set", reasons=seen.refusals(pod), node=node)
    if node:
        return _placed(pod, _ON_FARGATE if node in seen.facts.on_virtual else _ON_NODE)
    if wish(pod, seen.facts.namespaces) is Overflow.NO:
        reason = not_opted_in(pod, seen.facts.namespaces, own=seen.namespace)
        return Situation(state="not-opted-in", reasons=(reason,), since=_unschedulable_since(pod))
    return None


def _placed(pod: Pod, states: Mapping[Fate, State]) -> Situation:
    """A pod with a node, by how it fares there."""
    life = life_of(pod)
    state = states[life.fate]
    return Situation(state=state, node=pod.spec.node_name, since=bound_since(pod), life=life)


def asks_for_fargate_alone(pod: Pod, seen: Seen) -> bool:
    """Whether the pod's own words admit virtual nodes, and no real one."""
    if wish(pod, seen.facts.namespaces) is Overflow.REQUIRED:
        return True
    real = seen.facts.real.values()
    return (
        bool(real) and any(admitted(pod, seen)) and not any(affinity.admits(pod, each.node) for each in real)
    )


def bars(pod: Pod, seen: Seen) -> tuple[Reason, ...]:
    """What keeps the pod off Fargate whatever room there is; none where it could burst."""
    if wish(pod, seen.facts.namespaces) is Overflow.NO:
        return (not_opted_in(pod, seen.facts.namespaces, own=seen.namespace), *seen.refusals(pod))
    gate = seen.policy.gate
    candidate = candidate_of(
        pod, virtual=seen.facts.virtual, namespaces=seen.facts.namespaces, actuator=gate.actuator
    )
    if candidate is None or candidate.invalid is ASKS_ELSEWHERE:
        return (*seen.refusals(pod), *((ASKS_ELSEWHERE,) if candidate is not None else ()))
    return unfit(candidate, config=gate, refusals=seen.refusals)


def admitted(pod: Pod, seen: Seen) -> Iterable[str]:
    """The virtual nodes that the pod's own words let it onto."""
    return (node.name for node in seen.facts.virtual if affinity.admits(pod, node))


def _untried(pod: Pod) -> Situation | None:
    """Before the scheduler has said that it finds no node, nothing presses."""
    if pod.spec.scheduling_gates:
        names = ", ".join(_name(each) for each in pod.spec.scheduling_gates)
        reason = Reason(
            "SchedulingGated",
            f"the scheduler does not look at it before its scheduling gates are gone ({names})",
            "spec.schedulingGates",
        )
        return Situation(state="gated", reasons=(reason,))
    if verdict_on(pod) is not None:
        return None
    said = condition(pod, "PodScheduled")
    word = said.reason if said is not None else ""
    reason = Reason(
        "NotTried",
        f"the scheduler {pod.spec.scheduler_name} has not said {UNSCHEDULABLE} of it"
        + (f", but {word}: {said.message}" if said is not None and word else "; is it running?"),
    )
    return Situation(state="unscheduled", reasons=(reason,), since=pod.metadata.creation_timestamp)


def _name(gate: object) -> str:
    return str(gate.get("name", "")) if isinstance(gate, dict) else str(gate)


def _granted(pod: Pod, seen: Seen) -> Situation | None:
    for node, grants in seen.facts.grants.items():
        for grant in grants:
            if grant.uid == pod.uid and seen.now < grant.expires:
                return _of_grant(pod, grant, node=node, seen=seen)
    return None


def _of_grant(pod: Pod, grant: Grant, *, node: str, seen: Seen) -> Situation | None:
    standing = {each.node: each.grants for each in seen.plan.openings}.get(node, ())
    since = _unschedulable_since(pod)
    if any(each.uid == pod.uid for each in standing):
        return Situation(state="granted", node=node, since=since, until=grant.expires)
    if pod.uid in seen.decisions:
        return None
    also = () if seen.modes[node] in GIVES_GRANTS else (GATE_CLOSED,)
    reasons = (WITHDRAWN, *also, *seen.book().excess(pod, node))
    return Situation(state="waiting", reasons=reasons, node=node, since=since, until=grant.expires)


def _decided(pod: Pod, seen: Seen) -> Situation:
    since = _unschedulable_since(pod)
    known = seen.facts.unbound.get(pod.uid)
    if known is None or verdict_on(known) is None:
        return Situation(state="unscheduled", reasons=(TOO_NEW,), since=since)
    decision = seen.decisions.get(pod.uid)
    match decision:
        case None:
            return Situation(state="refused", reasons=(NO_VIRTUAL_NODE,), since=since)
        case Burst(node=node):
            return Situation(
                state="due" if seen.is_led else "waiting",
                reasons=() if seen.is_led else (NOT_LED,),
                node=node,
                since=since,
            )
        case WouldBurst(node=node):
            return Situation(state="observed", node=node, since=since)
        case Wait(until=until):
            return Situation(state="waiting", reasons=decision.reasons, since=since, until=until)
        case Refuse(reasons=reasons, until=until):
            return Situation(state="refused", reasons=reasons, since=since, until=until)
        case _:
            assert_never(decision)


def _unschedulable_since(pod: Pod) -> datetime | None:
    verdict = verdict_on(pod)
    return verdict.last_transition_time if verdict is not None else None
