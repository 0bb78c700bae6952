"""One turn's decision, beside the event loop: it takes as long as there are pods that press."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeVar

from app.extender.cluster.facts import Facts
from app.extender.decision.decisions import Plan
from app.extender.decision.gate import plan
from app.extender.decision.hindrance import GateConfig, Refusals
from app.extender.decision.memory import Memory
from app.extender.decision.once import Once
from app.extender.decision.priced import Priced
from app.fargate.prices import cost_of
from app.model.requests import requests_of

T = TypeVar("T")


class Apart(Protocol):
    """Where work is done that would hold the event loop up."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """Do the work, and give what it returns."""
        ...


async def at_once(work: Callable[[], T], /) -> T:
    """Does the work in the event loop, as tests want it."""
    return work()


class Decider:
    """The pure decision, and what it keeps from one turn to the next; a new term of the leader has a new one.

    With 1,000 pods that press a decision takes 60 ms. In a thread of its own it holds up neither the renewal
    of the Lease nor the watches; answers to kube-scheduler come from another process.

    Args:
        config: when pods burst.
        refusals: why Fargate cannot run a pod.
        apart: as `asyncio.to_thread`; what the work touches, facts aside, is nobody else's.
    """

    def __init__(self, config: GateConfig, *, refusals: Refusals, apart: Apart) -> None:
        self._config = config
        self._judged = Once(refusals)
        self._sized = Once(requests_of)
        self._priced = Priced(cost_of)
        self._apart = apart
        self._memory = Memory()

    async def decide(self, facts: Facts, *, now: datetime) -> Plan:
        """The plan for these facts; one at a time."""
        return await self._apart(lambda: self._decide(facts, now))

    def _decide(self, facts: Facts, now: datetime) -> Plan:
        decided = plan(
            facts,
            self._memory,
            now=now,
            config=self._config,
            refusals=self._judged,
            costs=self._priced,
            requests=self._sized,
        )
        self._memory = decided.memory
        self._judged.keep(decided.unbound)
        self._sized.keep(decided.unbound)
        self._priced.keep(decided.unbound | facts.uids_on_virtual())
        return decided
