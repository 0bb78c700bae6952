import asyncio

from app.streaming.connections.allowance import SHARE_BYTES, Allowance, Holding
from app.streaming.connections.inbox import Inbox
from tests.fakes import settle


async def test_a_connection_is_full_by_all_its_inboxes_together() -> None:
    holding = Holding(Allowance(), most=5)
    inboxes = [Inbox(holding, most=4) for _ in range(2)]
    for inbox in inboxes:
        inbox.put(b"abc")
    assert ([inbox.full for inbox in inboxes], holding.full) == ([False, False], True)


async def test_who_waits_for_less_is_woken_by_a_reader() -> None:
    holding = Holding(Allowance(), most=1)
    inbox = Inbox(holding)
    inbox.put(b"abc")
    waiting = asyncio.create_task(holding.less())
    await settle()
    assert not waiting.done()
    await inbox.get()
    await waiting
    assert not holding.full


async def test_all_together_hold_up_those_that_have_more_than_their_share() -> None:
    allowance = Allowance(most=3 * SHARE_BYTES)
    much, little = Holding(allowance), Holding(allowance)
    much.add(2 * SHARE_BYTES)
    assert not much.full
    little.add(SHARE_BYTES)
    assert (much.full, little.full) == (True, False)


async def test_what_is_read_dropped_or_lost_is_given_back_once() -> None:
    allowance = Allowance()
    holding = Holding(allowance)
    inboxes = [Inbox(holding) for _ in range(3)]
    for inbox in inboxes:
        inbox.put(b"abc")
    await inboxes[0].get()
    inboxes[1].drop()
    assert allowance.held == 3
    holding.end()
    holding.end()
    assert allowance.held == 0
    await inboxes[2].get()
    assert allowance.held == 0
