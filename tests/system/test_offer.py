"""The bridge tells the gate what Fargate costs."""

import pytest

from app.model.offer import read_offer
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


async def test_the_virtual_node_shows_live_prices_and_the_accounts_quota(
    stack: LocalStack, actors: Actors
) -> None:
    async def told() -> bool:
        node = await actors.request("GET", "/api/v1/nodes/fargate")
        offer = read_offer(node["metadata"].get("annotations", {}))
        return offer is not None and offer.rates.source == "live" and offer.quota.on_demand is not None

    await stack.until("prices on the node", told)
