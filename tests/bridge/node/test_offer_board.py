"""Prices and quotas on the virtual node."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from app.bridge.node.offer_board import BoardConfig, OfferBoard
from app.model.names import OFFER_MANAGER
from app.model.offer import TABLE, Offer, Rates, VcpuQuota, read_offer
from app.ports.failures import PortFailure, Refused, Unavailable
from tests.bridge.door import Door
from tests.bridge.fake_kubernetes import FakeNodes
from tests.builders import NOON, VIRTUAL, a_virtual_node
from tests.fakes import VirtualClock

LIVE = msgspec.structs.replace(TABLE, region="eu-west-3", source="live")
HERE = msgspec.structs.replace(TABLE, region="eu-west-3")
"""The table's prices, in the bridge's region: that is whose quotas hold."""
RAISED = VcpuQuota(on_demand=500, spot=1000)
PERIOD, RETRY, STANDBY = 6 * 3600, 60, 5


class FakeOffers:
    """AWS's answers, or its failures."""

    def __init__(self) -> None:
        self.price: Rates | PortFailure = LIVE
        self.limit: VcpuQuota | PortFailure = RAISED
        self.asked = 0

    async def rates(self) -> Rates:
        self.asked += 1
        if isinstance(self.price, PortFailure):
            raise self.price
        return self.price

    async def quota(self) -> VcpuQuota:
        if isinstance(self.limit, PortFailure):
            raise self.limit
        return self.limit


class Board:
    """A board at work over fakes."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.door = Door()
        self.nodes = FakeNodes(self.door)
        self.nodes.nodes[VIRTUAL] = a_virtual_node()
        self.offers = FakeOffers()
        self.ours = True
        self.task: asyncio.Task[None] | None = None

    async def begin(self, seconds: float = 1) -> None:
        """Set it to work, and let time pass."""
        board = OfferBoard(
            self.nodes,
            self.offers,
            clock=self.clock,
            config=BoardConfig(
                node=VIRTUAL, region="eu-west-3", capacity="spot-first", period=PERIOD, retry=RETRY
            ),
            is_ours=self._is_ours,
        )
        self.task = asyncio.create_task(board.run())
        await self.clock.advance(seconds)

    def shown(self) -> Offer | None:
        return read_offer(self.nodes.nodes[VIRTUAL].metadata.annotations)

    async def _is_ours(self) -> bool:
        return self.ours


@pytest.fixture
async def board() -> AsyncIterator[Board]:
    made = Board()
    yield made
    if made.task is not None:
        made.task.cancel()
        await asyncio.wait({made.task})


async def test_the_offer_stands_on_the_node_in_a_managers_name_of_its_own(board: Board) -> None:
    await board.begin()
    assert board.shown() == Offer(rates=LIVE, quota=RAISED, capacity="spot-first", at=NOON)
    assert [manager for manager, _ in board.nodes.applied] == [OFFER_MANAGER]


async def test_new_prices_show_after_a_period(board: Board) -> None:
    await board.begin()
    board.offers.price = TABLE
    await board.clock.advance(PERIOD)
    shown = board.shown()
    assert shown is not None
    assert shown.rates == HERE


async def test_a_bridge_that_does_not_keep_the_node_writes_nothing(board: Board) -> None:
    board.ours = False
    await board.begin(10 * RETRY)
    assert (board.shown(), board.offers.asked) == (None, 0)
    board.ours = True
    await board.clock.advance(STANDBY)
    assert board.shown() is not None


async def test_a_role_without_the_rights_leaves_the_table_and_no_quota_and_is_not_asked_in_vain(
    board: Board,
) -> None:
    board.offers.price = board.offers.limit = Refused("AccessDeniedException")
    await board.begin(10 * RETRY)
    assert board.shown() == Offer(rates=HERE, quota=VcpuQuota(), capacity="spot-first", at=NOON)
    assert board.offers.asked == 1


async def test_what_aws_told_before_outlives_its_silence(board: Board) -> None:
    await board.begin()
    board.offers.price = board.offers.limit = Unavailable("no answer")
    await board.clock.advance(PERIOD)
    shown = board.shown()
    assert shown is not None
    assert (shown.rates, shown.quota) == (LIVE, RAISED)


async def test_silence_is_asked_again_soon(board: Board) -> None:
    board.offers.limit = Unavailable("no answer")
    await board.begin()
    board.offers.limit = RAISED
    await board.clock.advance(RETRY)
    shown = board.shown()
    assert shown is not None
    assert shown.quota == RAISED


async def test_a_node_that_is_gone_is_written_once_it_is_back(board: Board) -> None:
    node = board.nodes.nodes.pop(VIRTUAL)
    await board.begin()
    board.nodes.nodes[VIRTUAL] = node
    await board.clock.advance(RETRY)
    assert board.shown() is not None
