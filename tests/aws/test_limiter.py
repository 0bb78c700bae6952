import asyncio

import pytest
from prometheus_client import CollectorRegistry

from app.aws.limiter import Lane, Limiter, Quotas
from app.aws.metrics import AwsMetrics
from app.aws.throttle import Quota
from tests.fakes import VirtualClock, settle


async def take(limiter: Limiter, lane: Lane, granted: list[str], *, name: str = "") -> None:
    await limiter.grant(lane)
    granted.append(name)


def many(limiter: Limiter, lane: Lane, count: int, granted: list[str]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(take(limiter, lane, granted, name=str(each))) for each in range(count)]


async def test_two_hundred_launches_take_little_longer_than_the_quota_allows(
    limiter: Limiter, clock: VirtualClock
) -> None:
    granted: list[str] = []
    waiting = many(limiter, Lane.LAUNCH, 200, granted)
    await clock.advance(9.5)
    assert len(granted) == 200
    await asyncio.gather(*waiting)


async def test_launches_leave_slower_than_the_published_bucket_refills(
    limiter: Limiter, clock: VirtualClock
) -> None:
    granted: list[str] = []
    waiting = many(limiter, Lane.LAUNCH, 200, granted)
    await settle()
    assert len(granted) == 15
    await clock.advance(5)
    assert len(granted) == 15 + 98
    await clock.advance(5)
    await asyncio.gather(*waiting)


async def test_launches_that_a_new_connection_holds_up_for_a_quarter_of_a_second_stay_within_the_quota(
    limiter: Limiter, clock: VirtualClock
) -> None:
    granted: list[str] = []
    waiting = many(limiter, Lane.LAUNCH, 200, granted)
    await clock.advance(0.25)
    arriving_at_once = len(granted)
    assert arriving_at_once <= Quotas().launch.burst
    await clock.advance(10)
    await asyncio.gather(*waiting)


async def test_who_asked_first_is_granted_first(limiter: Limiter, clock: VirtualClock) -> None:
    granted: list[str] = []
    waiting = many(limiter, Lane.REGISTER, 25, granted)
    await clock.advance(11)
    await asyncio.gather(*waiting)
    assert granted == [str(each) for each in range(25)]


@pytest.mark.parametrize("lane", [Lane.STOP, Lane.READ, Lane.FIND, Lane.LOGS, Lane.RECORDS])
async def test_a_queue_of_launches_keeps_nobody_else_waiting(
    limiter: Limiter, clock: VirtualClock, lane: Lane
) -> None:
    launches: list[str] = []
    waiting = many(limiter, Lane.LAUNCH, 200, launches)
    await clock.advance(2)
    others: list[str] = []
    await take(limiter, lane, others)
    assert others
    assert len(launches) < 200
    await clock.advance(10)
    await asyncio.gather(*waiting)


async def test_launches_and_stops_together_stay_within_the_quota_they_share(clock: VirtualClock) -> None:
    shared = Limiter(
        Quotas(launch=Quota(20, 20), modify=Quota(40, 20)),
        clock=clock,
        metrics=AwsMetrics(CollectorRegistry()),
    )
    granted: list[str] = []
    waiting = many(shared, Lane.LAUNCH, 60, granted) + many(shared, Lane.STOP, 60, granted)
    await clock.advance(2)
    assert len(granted) <= 40 + 2 * 20
    await clock.advance(10)
    await asyncio.gather(*waiting)


async def test_a_storm_of_stops_does_not_starve_launches(limiter: Limiter, clock: VirtualClock) -> None:
    stops: list[str] = []
    launches: list[str] = []
    waiting = many(limiter, Lane.STOP, 600, stops)
    await clock.advance(1)
    waiting += many(limiter, Lane.LAUNCH, 40, launches)
    await clock.advance(4)
    assert len(launches) == 40
    await clock.advance(20)
    await asyncio.gather(*waiting)


async def test_people_who_read_logs_do_not_wait_for_the_bridges_reading(
    limiter: Limiter, clock: VirtualClock
) -> None:
    records: list[str] = []
    waiting = many(limiter, Lane.RECORDS, 200, records)
    await clock.advance(5)
    logs: list[str] = []
    waiting += many(limiter, Lane.LOGS, 25, logs)
    await clock.advance(1)
    assert len(logs) == 25
    await clock.advance(30)
    await asyncio.gather(*waiting)


async def test_both_readings_together_stay_within_the_quota_of_log_pages(
    limiter: Limiter, clock: VirtualClock
) -> None:
    granted: list[str] = []
    waiting = many(limiter, Lane.RECORDS, 150, granted) + many(limiter, Lane.LOGS, 150, granted)
    await clock.advance(5)
    assert 25 + 5 * 20 <= len(granted) <= 25 + 5 * 25
    await clock.advance(30)
    await asyncio.gather(*waiting)


async def test_the_bridges_reading_is_not_starved_by_people(limiter: Limiter, clock: VirtualClock) -> None:
    people: list[str] = []
    waiting = many(limiter, Lane.LOGS, 500, people)
    await clock.advance(3)
    records: list[str] = []
    waiting += many(limiter, Lane.RECORDS, 8, records)
    await clock.advance(2)
    assert len(records) == 8
    await clock.advance(30)
    await asyncio.gather(*waiting)


async def test_a_throttled_launch_slows_launches_and_not_stops(limiter: Limiter, clock: VirtualClock) -> None:
    limiter.throttled(Lane.LAUNCH)
    launches: list[str] = []
    stops: list[str] = []
    waiting = many(limiter, Lane.LAUNCH, 30, launches) + many(limiter, Lane.STOP, 30, stops)
    await clock.advance(1)
    assert len(stops) == 30
    assert 8 <= len(launches) <= 11
    await clock.advance(10)
    await asyncio.gather(*waiting)


async def test_a_waiter_that_gives_up_takes_nothing(limiter: Limiter, clock: VirtualClock) -> None:
    first: list[str] = []
    waiting = many(limiter, Lane.REGISTER, 16, first)
    await settle()
    assert len(first) == 15
    waiting[-1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await clock.advance(1.1)
    next_one: list[str] = []
    await take(limiter, Lane.REGISTER, next_one)
    assert next_one


@pytest.mark.parametrize(
    ("region", "rate"),
    [
        pytest.param("us-east-1", 25, id="most"),
        pytest.param("eu-central-1", 10, id="slow"),
        pytest.param("eu-west-3", 30, id="fast"),
    ],
)
def test_the_quota_of_log_pages_is_the_regions(region: str, rate: float) -> None:
    assert Quotas.of_region(region).logs == Quota(rate, rate)


async def test_throttles_are_counted_by_lane(limiter: Limiter, registry: CollectorRegistry) -> None:
    limiter.throttled(Lane.LAUNCH)
    limiter.throttled(Lane.LAUNCH)
    name = "spillway_aws_throttled_total"
    assert registry.get_sample_value(name, {"lane": "launch"}) == 2
    assert registry.get_sample_value(name, {"lane": "stop"}) == 0
