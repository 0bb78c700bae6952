"""A cluster with overflow that stays, its placeholders, and what is planned for both."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.extender.cluster.reach import reach_of
from app.extender.homing.break_even import Account
from app.extender.homing.handovers import (
    Accounts,
    Ask,
    HandoverConfig,
    Handovers,
    Memory,
    Remove,
    plan_handovers,
)
from app.extender.homing.idlers import NO_IDLERS, Idlers
from app.extender.homing.placeholders import Placeholder, PlaceholderConfig, manifest, placeholder_of
from app.extender.homing.promises import Promises
from app.model.names import INSTANCE_TYPE_LABEL, OFFER
from app.model.node import Node
from app.model.pod import Pod
from tests.builders import NOON, a_node, a_pod, a_virtual_node
from tests.extender.homing.returns import MINUTE, an_overflow_pod
from tests.extender.plans import facts_of

CONFIG = HandoverConfig(look=MINUTE)
FULL = a_node("ec2-0", cpu="2", memory="8Gi", labels={INSTANCE_TYPE_LABEL: "m7i.large"})
"""A node of the commonest shape; `handed` fills it up."""

LATER = NOON + timedelta(hours=3)


def a_nodeful(of: str = "web", *, pods: int = 4) -> tuple[Pod, ...]:
    """Pods that fill a node, and cost more than it: 4 x (0.5 vCPU, 2 GiB)."""
    return tuple(
        an_overflow_pod(f"{of}-{serial}", of=of, cpu="500m", memory="2000Mi") for serial in range(pods)
    )


def a_placeholder(pod: Pod, *, made: datetime = LATER, **fields: Any) -> Placeholder:
    """The placeholder for a pod as an API server has it; it waits for a node, unless told otherwise."""
    body = manifest(pod, PlaceholderConfig())
    body["metadata"] |= {"uid": f"uid-{body['metadata']['name']}", "creationTimestamp": made.isoformat()}
    body["spec"] |= {"priority": -5, "nodeName": fields.get("node", "")}
    body["status"] = {"phase": fields.get("phase", "Pending")}
    found = placeholder_of(msgspec.convert(body, Pod), namespace="spillway", made=made)
    assert found is not None
    return found


def earned(*pods: Pod, hours: int = 1, strikes: int = 0, nodes: Iterable[Node] = (FULL,)) -> Accounts:
    """Accounts that have seen the pods overflow for so long, a minute ago for the last time."""
    accounts: Accounts = {reach_of(pod): Account(strikes=strikes) for pod in pods}
    for minute in range(60 * hours, 0, -1):
        accounts = handed(
            *pods, accounts=accounts, nodes=nodes, now=LATER - minute * MINUTE, most_nodes=0
        ).memory.accounts
    return accounts


def handed(
    *pods: Pod,
    held: Iterable[Placeholder] = (),
    accounts: Accounts | None = None,
    promises: Promises | None = None,
    nodes: Iterable[Node] = (FULL,),
    now: datetime = LATER,
    stuck: frozenset[str] = frozenset(),
    idlers: Idlers = NO_IDLERS,
    offer: str = "",
    **config: Any,
) -> Handovers:
    """The plan for these pods where the nodes are full, but for `roomy`."""
    full = (
        a_pod(f"full-{node.name}", node=node.name, cpu="2", memory="8Gi", phase="Running")
        for node in nodes
        if node.name != "roomy"
    )
    return plan_handovers(
        facts_of((*pods, *full), nodes=(a_virtual_node(annotations={OFFER: offer}), *nodes)),
        held,
        Memory(accounts=accounts or {}, promises=promises or {}, idlers=idlers),
        stuck=stuck,
        now=now,
        config=msgspec.structs.replace(CONFIG, **config),
    )


def asked(plan: Handovers) -> list[str]:
    """The pods that placeholders are made for."""
    return sorted(each.pod.metadata.name for each in plan.commands if isinstance(each, Ask))


def removed(plan: Handovers) -> dict[str, str]:
    """Why placeholders go, by the uid of the pod that they stand for."""
    return {
        each.placeholder.metadata.name.removeprefix("spillway-placeholder-"): each.reason.code
        for each in plan.commands
        if isinstance(each, Remove)
    }
