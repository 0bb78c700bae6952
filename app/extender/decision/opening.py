"""How each virtual node's gate is to stand, as the sum of what was decided; and the step on the way there."""

from collections.abc import Iterable

import msgspec

from app.extender.cluster.facts import Facts, Ledger
from app.extender.decision.candidates import daemons_on
from app.extender.decision.decisions import Burst, Decision, Early, Opening
from app.extender.decision.early import Earlies
from app.model.grant import Grant
from app.model.resources import NOTHING, Resources, total
from app.model.virtual_node import FLOOR, opened


def openings_of(
    standing: Ledger, decisions: Iterable[Decision], facts: Facts, earlies: Earlies
) -> tuple[Opening, ...]:
    """Every virtual node with the grants that stand or are given, and the room of what may land there."""
    given: dict[str, list[Grant]] = {node: list(grants) for node, grants in standing.items()}
    for each in decisions:
        if isinstance(each, Burst):
            given[each.node].append(each.grant)
    daemons = daemons_on(facts.unbound.values(), virtual=facts.virtual)
    return tuple(
        _opening(node, grants, facts=facts, daemons=daemons.get(node, NOTHING), early_room=earlies.get(node))
        for node, grants in given.items()
    )


def _opening(
    node: str, grants: Iterable[Grant], *, facts: Facts, daemons: Resources, early_room: Early | None
) -> Opening:
    shown = tuple(sorted(grants, key=lambda grant: grant.uid))
    awaited = total(grant.room for grant in shown) + daemons
    if early_room is not None:
        awaited += early_room.space
    return Opening(
        node=node,
        grants=shown,
        room=opened(taken=facts.taken.get(node, NOTHING), awaited=awaited),
        early=None if early_room is None else early_room.room,
    )


def first_step(opening: Opening, *, shown: tuple[Grant, ...], slots: int) -> Opening:
    """The opening itself, or the one to write before it so that the scheduler looks at its new pods again.

    A pod that the scheduler found too large for the node is looked at again only when the node grows. Where
    new pods would merely take over what others give back, the gate first closes altogether: whatever ends
    meanwhile, opening it again makes the node grow.

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
    room = (opening.room - total(grant.room for grant in new)).at_least(FLOOR)
    return Opening(
        node=opening.node,
        grants=tuple(grant for grant in opening.grants if grant.uid in known),
        room=msgspec.structs.replace(room, pods=0),
    )
