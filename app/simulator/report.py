"""From what was written down to figures: cost, waits, overflow, node-hours, and the ratio to the best."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from app.simulator.books import Outcome
from app.simulator.config import HOUR_MS
from app.simulator.policies import SPILLWAY, Policy

_SECOND_MS: Final = 1000
_NEVER: Final = math.inf


class Figures(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How one policy did.

    Attributes:
        policy: its name.
        cost: US dollars in all; `node_cost` and `fargate_cost` add up to it.
        node_hours: that were paid for, those of nodes that were booting or empty included.
        task_hours: that pods ran on Fargate, added up, each from its launch to its end.
        overflow_share: of the pods, those that ran on Fargate; 0 to 1.
        wait_p50: seconds from a pod's creation until it ran, on Fargate its start included; by `percentile`.
            None where so many pods never ran.
        never_ran: pods that found no place until the end; on Fargate only, those that opted out of it, too.
        end: seconds from the trace's beginning until its end, or the last pod's where that is later.
    """

    policy: str
    cost: float
    node_cost: float
    fargate_cost: float
    node_hours: float
    task_hours: float
    overflow_share: float
    wait_p50: float | None
    wait_p95: float | None
    wait_p99: float | None
    never_ran: int
    end: float


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The comparison.

    Attributes:
        pods: how many the trace has.
        hours: the span of the trace.
        policies: in the order they were asked for.
        best: the cheapest policy that ran every pod, known in hindsight only; None where none did.
        ratio_to_best: Spillway's cost over that of the best, 1 where it is the best; None where Spillway was
            not asked for, or nothing else was, where it left pods unrun, or where the best cost nothing.
        ignored_columns: of the trace.
    """

    pods: int
    hours: float
    policies: tuple[Figures, ...]
    best: str | None
    ratio_to_best: float | None
    ignored_columns: tuple[str, ...] = ()


def figures_of(policy: Policy, outcome: Outcome, *, begin: int) -> Figures:
    """One policy's figures.

    Args:
        policy: the policy.
        outcome: how it went.
        begin: the trace's first moment, in milliseconds.
    """
    waits = seconds_waited(outcome.waits)
    return Figures(
        policy=policy.name,
        cost=outcome.node_cost + outcome.fargate_cost,
        node_cost=outcome.node_cost,
        fargate_cost=outcome.fargate_cost,
        node_hours=outcome.node_ms / HOUR_MS,
        task_hours=outcome.task_ms / HOUR_MS,
        overflow_share=outcome.overflowed / len(outcome.waits),
        wait_p50=_or_none(percentile(waits, 50)),
        wait_p95=_or_none(percentile(waits, 95)),
        wait_p99=_or_none(percentile(waits, 99)),
        never_ran=outcome.waits.count(None),
        end=(outcome.end - begin) / _SECOND_MS,
    )


def report_of(
    found: Iterable[Figures], *, pods: int, hours: float, ignored_columns: tuple[str, ...] = ()
) -> Report:
    """The comparison of what the policies came to."""
    policies = tuple(found)
    complete = {each.policy: each.cost for each in policies if not each.never_ran}
    best = min(complete, key=lambda name: complete[name], default=None)
    return Report(
        pods=pods,
        hours=hours,
        policies=policies,
        best=best,
        ratio_to_best=_ratio(complete, best, compared=len(policies) > 1),
        ignored_columns=ignored_columns,
    )


def seconds_waited(waits: Iterable[int | None]) -> list[float]:
    """The waits in order, in seconds; who never ran waits for ever."""
    return sorted(_NEVER if wait is None else wait / _SECOND_MS for wait in waits)


def percentile(ordered: Sequence[float], rank: int) -> float:
    """The nearest-rank percentile: the smallest value that at least `rank` in a hundred do not exceed.

    Always a value that occurred; nothing is interpolated.
    https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method
    """
    return ordered[max(0, -(-rank * len(ordered) // 100) - 1)]


def _or_none(wait: float) -> float | None:
    return None if wait == _NEVER else wait


def _ratio(complete: Mapping[str, float], best: str | None, *, compared: bool) -> float | None:
    if best is None or SPILLWAY.name not in complete or not complete[best] or not compared:
        return None
    return complete[SPILLWAY.name] / complete[best]
