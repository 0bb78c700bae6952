"""When a pod bursts, and how far each virtual node's gate stands open.

`plan` is the whole decision: from what the cluster shows to the grants and the room of every virtual node.
First policy: an opted-in pod that the scheduler finds no node for, and that Fargate can run, is granted a
place once its max-wait is over.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from app.extender import ledger
from app.extender.allotment import Place, allot
from app.extender.decisions import Burst, Decision, Opening, Plan, Wait
from app.extender.hindrance import GateConfig, Moment, Refusals, hindrance
from app.extender.ledger import NO_LAPSES, Lapses, Ledger
from app.extender.pressure import Candidate, Labels, Survey, candidates, survey
from app.model.grant import Grant
from app.model.names import PodUid
from app.model.node import Node, is_virtual
from app.model.pod import Pod
from app.model.resources import total
from app.model.virtual_node import FLOOR, room


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the cluster shows: all pods, all nodes, namespaces' labels, the grants on the virtual nodes.

    `lapses` is what the last plan remembered of unused grants.
    """

    pods: tuple[Pod, ...]
    nodes: tuple[Node, ...]
    namespaces: Mapping[str, Labels]
    grants: Ledger
    lapses: Mapping[PodUid, Lapses] = NO_LAPSES


def plan(facts: Facts, *, now: datetime, config: GateConfig, refusals: Refusals) -> Plan:
    """Decide for every pod that presses, and sum up the room of every virtual node."""
    virtual = tuple(sorted((each for each in facts.nodes if is_virtual(each)), key=lambda each: each.name))
    seen = survey(facts.pods, virtual=(node.name for node in virtual))
    shown = {node.name: facts.grants.get(node.name, ()) for node in virtual}
    standing = ledger.live(shown, seen.unbound, namespaces=facts.namespaces, now=now, ttl=config.grant_ttl)
    lapses = ledger.lapses_after(facts.lapses, ledger=shown, unbound=seen.unbound, now=now)
    held = {grant.uid for grants in standing.values() for grant in grants}
    pressing = candidates(
        (pod for uid, pod in seen.unbound.items() if uid not in held),
        nodes=virtual,
        namespaces=facts.namespaces,
    )
    moment = Moment(now=now, config=config, lapses=lapses, refusals=refusals)
    decisions = decide(pressing, standing=standing, moment=moment)
    openings = _openings(standing, decisions, seen)
    return Plan(
        decisions=decisions,
        openings=openings,
        lapses=lapses,
        unbound=frozenset(seen.unbound),
        due=_due(decisions, openings),
    )


def decide(pressing: Iterable[Candidate], *, standing: Ledger, moment: Moment) -> tuple[Decision, ...]:
    """One decision for each candidate; none of them holds a grant that stands."""
    decisions: list[Decision] = []
    due: list[Candidate] = []
    for each in pressing:
        held_up = hindrance(each, moment)
        if held_up is None:
            due.append(each)
        else:
            decisions.append(held_up)
    expires = _whole_second(moment.now + moment.config.grant_ttl)
    placed = allot(due, standing=standing, expires=expires, most=moment.config.max_grants)
    decisions += (
        Burst(each.pod, where.node, where.grant) if isinstance(where, Place) else Wait(each.pod, where)
        for each, where in placed
    )
    return tuple(decisions)


def first_step(opening: Opening, *, shown: tuple[Grant, ...], slots: int) -> Opening:
    """The opening itself, or the one to write before it so that the scheduler looks at its new pods again.

    A pod that the scheduler found too large for the node is looked at again only when the node grows. Where
    new pods would merely take over what others give back, the gate first closes by that much, then opens.

    Source: `haveAnyRequestedResourcesIncreased` of kube-scheduler's NodeResourcesFit plugin: more pod slots
    wake every pod.

    Args:
        opening: what is wanted.
        shown: the grants on the node now.
        slots: the pods in the node's allocatable now.
    """
    known = {grant.uid for grant in shown}
    new = [grant for grant in opening.grants if grant.uid not in known]
    if not new or opening.room.pods > slots:
        return opening
    return Opening(
        node=opening.node,
        grants=tuple(grant for grant in opening.grants if grant.uid in known),
        room=(opening.room - total(grant.room for grant in new)).at_least(FLOOR),
    )


def _whole_second(moment: datetime) -> datetime:
    """Rounded up, so that a grant never ends before it has begun."""
    return (moment + timedelta(microseconds=999_999)).replace(microsecond=0)


def _openings(standing: Ledger, decisions: Iterable[Decision], seen: Survey) -> tuple[Opening, ...]:
    given: dict[str, list[Grant]] = {node: list(grants) for node, grants in standing.items()}
    for each in decisions:
        if isinstance(each, Burst):
            given[each.node].append(each.grant)
    return tuple(
        Opening(
            node=node,
            grants=tuple(sorted(grants, key=lambda grant: grant.uid)),
            room=room(bound=seen.bound[node], granted=grants, daemons=seen.daemons[node]),
        )
        for node, grants in given.items()
    )


def _due(decisions: Iterable[Decision], openings: Iterable[Opening]) -> datetime | None:
    ends = [each.until for each in decisions if isinstance(each, Wait) and each.until is not None]
    ends += (grant.expires for opening in openings for grant in opening.grants)
    return min(ends, default=None)
