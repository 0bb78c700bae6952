"""What is wrong with Spillway itself, and the mend: what somebody who is woken at night must see first.

A pod that is refused, a budget that is spent, or a gate that somebody closed, is no trouble: that is what
people asked for. A closed gate is noted.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from app.extender.decision.mode import GIVES_GRANTS, fault_of
from app.extender.insight.failing import failures
from app.extender.insight.seen import Seen, is_alive
from app.extender.insight.unprepared import webhook_missed
from app.model.grant import GrantsError, read_grants
from app.model.lease import LeaseObject
from app.model.names import GATE
from app.model.node import Node, is_ready
from app.model.offer import OfferError, read_offer
from app.model.reason import Reason
from app.model.setting import named
from app.model.spelling import unread_on_namespace

FAULTS_OF_NODES: Final = frozenset({"InvalidGate"})
"""Codes of what the leader says in Events of virtual nodes for as long as it is so."""


def troubles(seen: Seen) -> tuple[Reason, ...]:
    """Everything that is wrong, the gravest first."""
    missed = webhook_missed(seen.unprepared, now=seen.now)
    return (*_gate(seen), *_nodes(seen), *((missed,) if missed else ()), *failures(seen), *_words(seen))


def notes(seen: Seen) -> tuple[Reason, ...]:
    """That no gate is open where it is so because somebody said it, and who."""
    virtual = seen.facts.virtual
    if not virtual or any(seen.modes[node.name] in GIVES_GRANTS or fault_of(node) for node in virtual):
        return ()
    words = ", ".join(_set(node, seen.modes[node.name]) for node in virtual)
    return (Reason("NoGateOpen", f"no gate is open, so nothing new bursts: {words}"),)


def _set(node: Node, mode: str) -> str:
    own = node.metadata.annotations.get(GATE, "").strip()
    by = f"its annotation {GATE}={own}" if own else f"{named('extender', 'gate')}"
    verb = "only observes" if mode == "observe" else f"is {mode}"
    return f"{node.name} {verb}, as {by} says"


def _gate(seen: Seen) -> Iterator[Reason]:
    if not seen.is_led:
        yield Reason(
            "NoLeader",
            f"no extender leads ({_state(seen.gate_lease, seen.now)}): nothing new bursts, what runs on "
            f"Fargate goes on; look at the extender's pods and logs in namespace {seen.namespace} "
            f"({seen.option} names another)",
        )


def _nodes(seen: Seen) -> Iterator[Reason]:
    if not seen.facts.virtual:
        yield Reason(
            "NoVirtualNode",
            "there is no virtual node: nothing can burst; install `spillway bridge`, or look at its logs",
        )
        return
    for node in seen.facts.virtual:
        yield from _bridge(node, seen)
    if not any(is_ready(node) and not node.spec.unschedulable for node in seen.facts.virtual):
        yield Reason(
            "NoVirtualNodeReady", "no virtual node takes pods: nothing new bursts until one is Ready again"
        )


def _bridge(node: Node, seen: Seen) -> Iterator[Reason]:
    lease = seen.node_leases.get(node.name)
    if not is_alive(lease, now=seen.now):
        yield Reason(
            "BridgeSilent",
            f"no bridge keeps virtual node {node.name} ({_state(lease, seen.now)}): its tasks run on, their "
            "status is not renewed and no pod is started or stopped; look at the bridge's pods and logs",
        )
    elif not is_ready(node):
        yield Reason(
            "VirtualNodeNotReady",
            f"virtual node {node.name} is not Ready though {lease.holder if lease else 'a bridge'} keeps it; "
            f"kubectl describe node {node.name}",
        )
    if node.spec.unschedulable:
        yield Reason(
            "VirtualNodeCordoned",
            f"virtual node {node.name} is cordoned: nothing new bursts there; kubectl uncordon {node.name}",
        )


def _words(seen: Seen) -> Iterator[Reason]:
    """What somebody wrote that means nothing; the gate closes rather than guess."""
    for node in seen.facts.virtual:
        fault = fault_of(node)
        if fault is not None:
            yield Reason(fault.code, f"virtual node {node.name}: {fault.message}", fault.field)
        annotations = node.metadata.annotations
        try:
            read_grants(annotations)
            read_offer(annotations)
        except (GrantsError, OfferError) as error:
            yield Reason("AnnotationUnreadable", f"virtual node {node.name}: {error}")
    book = seen.book()
    for name in sorted(seen.facts.namespaces):
        for fault in (*book.faults(name), *unread_on_namespace(seen.facts.namespaces[name].metadata)):
            yield Reason(fault.code, f"namespace {name}: {fault.message}", fault.field)


def _state(lease: LeaseObject | None, now: datetime) -> str:
    if lease is None:
        return "there is no Lease"
    if not lease.holder or lease.spec.renew_time is None:
        return "nobody holds its Lease"
    ago = (now - lease.spec.renew_time).total_seconds()
    return f"{lease.holder} renewed its Lease last {ago:.0f} s ago"
