import asyncio
import math
from collections.abc import AsyncIterator
from itertools import zip_longest
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kube.leadership import Leadership
from app.ports.failures import Refused, Unavailable
from tests.fakes import VirtualClock, settle
from tests.kube.fakes import LeaseStore, LeaseTransport


class Candidate:
    """One process: its leadership, its way to the server, and when its work began and ended."""

    def __init__(self, name: str, *, store: LeaseStore, clock: VirtualClock) -> None:
        self.transport = LeaseTransport(store, clock=clock)
        self.leadership = Leadership(
            self.transport, namespace="spillway", name="spillway-gate", identity=name, clock=clock
        )
        self.clock = clock
        self.began: list[float] = []
        self.ended: list[float] = []
        self.failures: list[BaseException] = []
        self.slow_to_stop = 0.0
        self.done = asyncio.Event()
        self.task: asyncio.Future[None] | None = None

    def start(self) -> None:
        self.task = asyncio.ensure_future(self.leadership.lead(self._work))

    async def stop(self) -> None:
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def _work(self) -> None:
        self.began.append(self.clock.steady())
        try:
            if self.failures:
                raise self.failures.pop()
            await self.done.wait()
        finally:
            await self.clock.sleep(self.slow_to_stop)
            self.ended.append(self.clock.steady())


class Cluster:
    """Two candidates for one Lease; `b` is started by the tests that need it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.store = LeaseStore()
        self.a = Candidate("a", store=self.store, clock=self.clock)
        self.b = Candidate("b", store=self.store, clock=self.clock)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """`a` leads."""
    cluster = Cluster()
    cluster.a.start()
    await settle()
    yield cluster
    for each in (cluster.a, cluster.b):
        if each.task is not None:
            await each.stop()


async def test_the_first_candidate_leads(cluster: Cluster) -> None:
    assert cluster.a.leadership.is_leader()
    assert cluster.store.holder() == "a"


async def test_a_leader_renews_in_one_write_per_period(cluster: Cluster) -> None:
    await cluster.clock.advance(20)
    assert len(cluster.store.writes) == 1 + 10
    assert cluster.a.leadership.is_leader()


async def test_a_second_candidate_waits_as_long_as_the_lease_is_renewed(cluster: Cluster) -> None:
    cluster.b.start()
    await cluster.clock.advance(300)
    assert (cluster.b.began, cluster.b.leadership.is_leader()) == ([], False)


async def test_a_leader_that_is_cut_off_stops_before_another_starts(cluster: Cluster) -> None:
    cluster.b.start()
    await cluster.clock.advance(10)
    cluster.a.transport.failure = Unavailable("no route")
    await cluster.clock.advance(30)
    assert cluster.a.ended == [20.0]
    assert cluster.b.began == [26.0]
    assert cluster.store.holder() == "b"


async def test_a_renewal_that_hangs_does_not_keep_the_work_running(cluster: Cluster) -> None:
    cluster.b.start()
    await cluster.clock.advance(10)
    cluster.a.transport.hangs = True
    await cluster.clock.advance(10)
    assert cluster.a.ended == [20.0]
    assert not cluster.a.leadership.is_leader()


async def test_a_writes_whose_answers_are_lost_count_for_nothing(cluster: Cluster) -> None:
    cluster.b.start()
    await cluster.clock.advance(10)
    cluster.a.transport.loses_answers = True
    await cluster.clock.advance(10)
    assert cluster.a.ended == [20.0]
    assert cluster.b.began == []


async def test_a_renewal_counts_from_before_it_was_sent(cluster: Cluster) -> None:
    cluster.a.transport.answers_after = 3.0
    await cluster.clock.advance(3)
    cluster.a.transport.failure = Unavailable("no route")
    await cluster.clock.advance(20)
    assert cluster.a.ended == [2.0 + 10.0]


async def test_a_short_outage_is_survived(cluster: Cluster) -> None:
    cluster.a.transport.failure = Unavailable("restarting")
    await cluster.clock.advance(7)
    cluster.a.transport.failure = None
    await cluster.clock.advance(60)
    assert cluster.a.ended == []
    assert cluster.a.leadership.is_leader()


async def test_a_leader_that_others_have_replaced_stops_at_its_next_renewal(cluster: Cluster) -> None:
    taken = {**cluster.store.get(), "spec": {"holderIdentity": "x", "leaseDurationSeconds": 15}}
    cluster.store.update(taken)
    await cluster.clock.advance(4)
    assert len(cluster.a.ended) == 1
    assert cluster.store.holder() == "x"


async def test_who_lost_the_lease_is_a_candidate_again(cluster: Cluster) -> None:
    cluster.a.transport.failure = Unavailable("no route")
    await cluster.clock.advance(12)
    cluster.a.transport.failure = None
    await cluster.clock.advance(30)
    assert len(cluster.a.began) == 2
    assert cluster.a.leadership.is_leader()


async def test_stopping_releases_the_lease_for_the_next_try_of_another(cluster: Cluster) -> None:
    cluster.b.start()
    await cluster.clock.advance(1)
    await cluster.a.stop()
    assert cluster.store.holder() == ""
    await cluster.clock.advance(2)
    assert cluster.b.leadership.is_leader()


async def test_the_lease_is_renewed_until_the_work_has_ended(cluster: Cluster) -> None:
    cluster.b.start()
    cluster.a.slow_to_stop = 40.0
    assert cluster.a.task is not None
    cluster.a.task.cancel()
    await cluster.clock.advance(60)
    assert cluster.a.ended == [40.0]
    assert cluster.b.began == [pytest.approx(41.0, abs=1.0)]


async def test_work_that_fails_gives_another_its_turn() -> None:
    two = Cluster()
    two.a.failures = [RuntimeError("bug")]
    two.a.start()
    await settle()
    assert two.store.holder() == ""
    two.b.start()
    await two.clock.advance(60)
    assert (two.a.began, two.b.began) == ([0.0], [0.0])
    await two.a.stop()
    await two.b.stop()


async def test_work_that_cancels_itself_has_failed() -> None:
    alone = Cluster()
    alone.a.failures = [asyncio.CancelledError()]
    alone.a.start()
    await alone.clock.advance(5)
    assert alone.a.began == [0.0, 1.0]
    assert alone.a.leadership.is_leader()
    await alone.a.stop()


async def test_work_that_fails_again_and_again_waits_longer_and_longer() -> None:
    alone = Cluster()
    alone.a.failures = [RuntimeError("bug") for _ in range(4)]
    alone.a.start()
    await alone.clock.advance(20)
    assert alone.a.began == [0.0, 1.0, 3.0, 7.0, 15.0]
    assert alone.a.leadership.is_leader()
    await alone.a.stop()


async def test_work_that_returns_ends_the_leading_and_releases(cluster: Cluster) -> None:
    cluster.a.done.set()
    assert cluster.a.task is not None
    await cluster.a.task
    assert cluster.store.holder() == ""
    assert not cluster.a.leadership.is_leader()


async def test_a_candidate_without_permission_keeps_asking(cluster: Cluster) -> None:
    cluster.b.transport.failure = Refused("403 leases is forbidden")
    cluster.b.start()
    await cluster.clock.advance(10)
    assert cluster.b.task is not None
    assert not cluster.b.task.done()


async def test_a_process_that_stood_still_knows_that_it_leads_no_more(cluster: Cluster) -> None:
    cluster.clock._elapsed += 60
    assert not cluster.a.leadership.is_leader()


class Trouble(NamedTuple):
    """What happens to one candidate's way to the server, and how long it lasts."""

    candidate: str
    kind: str
    seconds: float


TROUBLES = st.lists(
    st.builds(
        Trouble,
        candidate=st.sampled_from("ab"),
        kind=st.sampled_from(["none", "down", "hangs", "loses answers", "slow"]),
        seconds=st.sampled_from([0.5, 3.0, 9.0, 16.0, 25.0]),
    ),
    min_size=3,
    max_size=12,
)


async def overlaps_under(troubles: list[Trouble]) -> list[tuple[float, float]]:
    """Two candidates live through the troubles; the spans in which both worked."""
    cluster = Cluster()
    both = {"a": cluster.a, "b": cluster.b}
    for each in both.values():
        each.slow_to_stop = 4.0
        each.start()
    for trouble in troubles:
        way = both[trouble.candidate].transport
        way.failure = Unavailable("no route") if trouble.kind == "down" else None
        way.hangs = trouble.kind == "hangs"
        way.loses_answers = trouble.kind == "loses answers"
        way.answers_after = 3.0 if trouble.kind == "slow" else 0.0
        await cluster.clock.advance(trouble.seconds)
    spans = [list(zip_longest(each.began, each.ended, fillvalue=math.inf)) for each in both.values()]
    for each in both.values():
        each.slow_to_stop = 0.0
        each.transport.failure, each.transport.hangs = Unavailable("the end"), False
        await each.stop()
    return [
        (max(p[0], q[0]), min(p[1], q[1]))
        for p in spans[0]
        for q in spans[1]
        if max(p[0], q[0]) < min(p[1], q[1])
    ]


@settings(max_examples=100, database=None)
@given(troubles=TROUBLES)
def test_two_never_work_at_once_whatever_happens_to_their_requests(troubles: list[Trouble]) -> None:
    assert asyncio.run(overlaps_under(troubles)) == []


@pytest.mark.parametrize(
    ("lease", "deadline", "retry"),
    [
        pytest.param(10.0, 10.0, 2.0, id="no time for the work to end"),
        pytest.param(15.0, 2.0, 2.0, id="no second try"),
        pytest.param(15.0, 10.0, 0.0, id="spinning"),
    ],
)
def test_times_that_leave_no_room_are_refused(lease: float, deadline: float, retry: float) -> None:
    with pytest.raises(ValueError, match="each must be longer"):
        Leadership(
            LeaseTransport(LeaseStore(), clock=VirtualClock()),
            namespace="n",
            name="l",
            identity="a",
            clock=VirtualClock(),
            lease_seconds=lease,
            renew_deadline=deadline,
            retry_period=retry,
        )
