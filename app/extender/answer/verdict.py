"""Which of the scheduler's candidate nodes a pod may have: real ones first, a virtual one only if granted."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

NO_GRANT: Final = "spillway: no grant for this pod on this node"
REAL_FIRST: Final = "spillway: a real node has room"
"""Messages never carry a number or a name: a changed message re-queues the pod at once, for ever."""

LOWEST_SCORE: Final = 0
HIGHEST_SCORE: Final = 10
"""https://pkg.go.dev/k8s.io/kube-scheduler/extender/v1#pkg-constants (MaxExtenderPriority)"""


class Verdict(msgspec.Struct, frozen=True):
    """The nodes that stay, in the order given, and why each other one is out.

    What is out is out for good in this cycle: evicting pods from a virtual node never makes room there.
    """

    passed: tuple[str, ...]
    unresolvable: Mapping[str, str] = {}


def filter_verdict(
    names: Sequence[str],
    *,
    virtual: frozenset[str],
    granted: frozenset[str] = frozenset(),
    early: frozenset[str] = frozenset(),
) -> Verdict:
    """Whether the pod goes to a real node, bursts, or stays Unschedulable.

    The scheduler asks about nodes that passed all its own filters: below 100 nodes all of them, above that
    a sample of at least 100. So a list of virtual nodes alone means that no real node takes the pod now;
    or that the pod was nominated to the virtual node, which the same rule answers.

    Args:
        names: the candidates, in the scheduler's order.
        virtual: those of `names` (at least) that are virtual.
        granted: the virtual nodes on which this very pod holds a live grant, or needs none.
        early: the virtual nodes that it may have though real ones have room.
    """
    real = tuple(name for name in names if name not in virtual)
    if len(real) == len(names):
        return Verdict(real)
    if real:
        passed = tuple(name for name in names if name not in virtual or name in early)
        return Verdict(passed, {name: REAL_FIRST for name in names if name in virtual - early})
    passed = tuple(name for name in names if name in granted)
    return Verdict(passed, {name: NO_GRANT for name in names if name not in granted})


def scores(names: Sequence[str], *, early: frozenset[str] = frozenset()) -> tuple[tuple[str, int], ...]:
    """The highest for where the pod may go early, the lowest for all others: `filter` has decided already."""
    return tuple((name, HIGHEST_SCORE if name in early else LOWEST_SCORE) for name in names)


def may_preempt_on(names: Sequence[str], *, virtual: frozenset[str]) -> frozenset[str]:
    """The nodes whose pods may be evicted for another: never a virtual one's.

    A task that is stopped for its neighbour frees nothing, since each has its own Fargate capacity.
    """
    return frozenset(names) - virtual
