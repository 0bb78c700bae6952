"""The classic rent-or-buy model: what our rule pays for a demand, and what is best once all of it is known.

Time goes by the hour. Demand is in nodes' worth of pods, and may be a fraction. An hour of a node's worth
costs `rent` on Fargate; a node costs `stay * hourly` and carries one node's worth for `stay` hours, from the
hour in which it is bought.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from math import ceil

import msgspec

from app.extender.homing.break_even import Account, Buy, Terms, step
from tests.builders import NOON


class Market(msgspec.Struct, frozen=True):
    """The rates."""

    rent: float
    hourly: float
    stay: int

    @property
    def price(self) -> float:
        """What a node costs for its stay."""
        return self.hourly * self.stay

    def rented(self, demand: float, nodes: int) -> float:
        """An hour's rent for what the nodes do not carry."""
        return self.rent * max(0.0, demand - nodes)


def paid_by_rule(demands: Sequence[float], market: Market) -> float:
    """What `break_even.step` pays; it knows nothing of the hours to come."""
    terms = Terms(hourly=market.hourly, stay=timedelta(hours=market.stay), look=timedelta(hours=1))
    bought: list[int] = []
    account, paid = Account(), 0.0
    for hour, demand in enumerate(demands):
        standing = sum(hour < since + market.stay for since in bought)
        now = NOON + timedelta(hours=hour)
        account, verdict = step(account, _levels(demand - standing, market.rent), terms=terms, now=now)
        if isinstance(verdict, Buy):
            bought += [hour] * verdict.nodes
            standing += verdict.nodes
            paid += verdict.nodes * market.price
        paid += market.rented(demand, standing)
    return paid


def best_in_hindsight(demands: Sequence[float], market: Market) -> float:
    """The least that anybody could have paid, by trying all that is worth trying."""
    most = ceil(max(demands, default=0.0))

    @cache
    def least(hour: int, recent: tuple[int, ...]) -> float:
        """From this hour on; `recent` are the nodes that were bought in each of the last hours and stand."""
        if hour == len(demands):
            return 0.0
        standing = sum(recent)
        return min(
            new * market.price
            + market.rented(demands[hour], standing + new)
            + least(hour + 1, (*recent, new)[1:])
            for new in range(max(0, most - standing) + 1)
        )

    return least(0, (0,) * (market.stay - 1))


def _levels(overflow: float, rent: float) -> tuple[float, ...]:
    """What overflows, node by node."""
    return tuple(rent * min(1.0, overflow - below) for below in range(ceil(overflow))) if overflow > 0 else ()
