from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from app.extender.homing.break_even import (
    Account,
    Buy,
    KeepRenting,
    Levels,
    Terms,
    arrived,
    given_up,
    is_blank,
    paused,
    step,
)
from tests.builders import NOON
from tests.extender.homing.rent_or_buy import Market, best_in_hindsight, paid_by_rule

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NEW = Account()
TERMS = Terms(hourly=0.1, stay=HOUR, look=MINUTE)

markets = some.builds(
    Market, rent=some.floats(0.05, 20), hourly=some.floats(0.05, 20), stay=some.integers(1, 5)
)
whole = some.lists(some.integers(0, 3), min_size=1, max_size=10)
fractions = some.lists(some.one_of(some.just(0.0), some.floats(0.01, 3)), min_size=1, max_size=8)


def paying(levels: Levels, minutes: int, *, account: Account = NEW, terms: Terms = TERMS) -> Account:
    """The account after so many minutes of the same overflow, looked at every minute."""
    since = account.at or NOON
    for minute in range(minutes):
        account, _ = step(account, levels, terms=terms, now=since + minute * MINUTE)
    return account


def verdict_at(minutes: int, levels: Levels, *, terms: Terms = TERMS) -> KeepRenting | Buy:
    account = paying(levels, minutes, terms=terms)
    return step(account, levels, terms=terms, now=NOON + minutes * MINUTE)[1]


@given(demands=some.one_of(whole, fractions), market=markets)
@settings(max_examples=600)
def test_the_rule_pays_at_most_twice_the_best_in_hindsight_whatever_the_demand(
    demands: list[float], market: Market
) -> None:
    assert paid_by_rule(demands, market) <= 2 * best_in_hindsight(demands, market) + 1e-6


@given(demands=some.one_of(whole, fractions), rent=some.floats(0.05, 20), hourly=some.floats(0.05, 20))
@settings(max_examples=200)
def test_so_it_does_where_a_node_is_bought_once_and_for_all(
    demands: list[float], rent: float, hourly: float
) -> None:
    market = Market(rent=rent, hourly=hourly, stay=len(demands))
    assert paid_by_rule(demands, market) <= 2 * best_in_hindsight(demands, market) + 1e-6


def test_the_bound_is_tight_a_demand_that_ends_as_the_node_is_bought_costs_nearly_twice() -> None:
    market = Market(rent=1.0, hourly=0.99, stay=100)
    demands = [1.0] * 99
    ratio = paid_by_rule(demands, market) / best_in_hindsight(demands, market)
    assert 1.9 < ratio <= 2


@pytest.mark.parametrize(
    ("minutes", "levels", "bought"),
    [
        pytest.param(51, (0.116,), 1, id="a full node's worth has earned its hour after 52 minutes"),
        pytest.param(50, (0.116,), 0, id="and not before"),
        pytest.param(29, (0.2,), 1, id="what costs twice as much is there in half the time"),
        pytest.param(51, (0.116, 0.116, 0.116), 3, id="nodes that are needed as much are bought together"),
        pytest.param(51, (0.116, 0.05), 1, id="a half empty node is not bought with the full one"),
        pytest.param(600, (0.09,), 0, id="what costs less on Fargate than a node stays there for ever"),
        pytest.param(0, (), 0, id="no overflow, nothing to buy"),
    ],
)
def test_nodes_are_bought_once_they_would_have_saved_their_price(
    minutes: int, levels: Levels, bought: int
) -> None:
    verdict = verdict_at(minutes, levels)
    assert (verdict.nodes if isinstance(verdict, Buy) else 0) == bought


def test_a_node_is_bought_at_the_last_look_before_its_price_is_reached() -> None:
    verdict = verdict_at(51, (0.116,))
    assert isinstance(verdict, Buy)
    assert verdict.paid == pytest.approx(0.116 * 52 / 60)
    assert verdict.price == pytest.approx(0.1)


def test_what_was_paid_longer_ago_than_a_stay_is_forgotten() -> None:
    account = paying((0.116,), 40)
    account = paying((), 60, account=account)
    account, verdict = step(account, (0.116,), terms=TERMS, now=NOON + 99 * MINUTE)
    assert isinstance(verdict, KeepRenting)
    assert verdict.paid < 0.01


def test_bursts_within_a_stay_add_up() -> None:
    account = paying((0.24,), 15)
    account = paying((), 15, account=account)
    account = paying((0.24,), 9, account=account)
    _, verdict = step(account, (0.24,), terms=TERMS, now=NOON + 37 * MINUTE)
    assert isinstance(verdict, KeepRenting)
    assert verdict.paid == pytest.approx(0.24 * 24 / 60, abs=0.009)


def test_a_bought_node_counts_as_if_it_had_been_there_so_the_next_must_earn_its_own_price() -> None:
    account = paying((0.116,), 51)
    account, verdict = step(account, (0.116,), terms=TERMS, now=NOON + 51 * MINUTE)
    assert isinstance(verdict, Buy)
    _, verdict = step(account, (0.116,), terms=TERMS, now=NOON + 52 * MINUTE)
    assert isinstance(verdict, KeepRenting)
    assert verdict.paid == pytest.approx(0.116 / 60)


def test_no_more_is_bought_than_may_be_at_once() -> None:
    terms = Terms(hourly=0.1, stay=HOUR, look=MINUTE, most=2)
    verdict = verdict_at(51, (0.116,) * 5, terms=terms)
    assert isinstance(verdict, Buy)
    assert verdict.nodes == 2


def test_nothing_is_bought_for_overflow_that_is_over() -> None:
    account = paying((0.116,), 51)
    _, verdict = step(account, (), terms=Terms(hourly=0.01, look=MINUTE), now=NOON + 51 * MINUTE)
    assert isinstance(verdict, KeepRenting)


@pytest.mark.parametrize(
    ("times", "hours"),
    [
        pytest.param(0, 1, id="at first one stay"),
        pytest.param(1, 2, id="then two"),
        pytest.param(3, 8, id="then four, eight"),
        pytest.param(40, 32, id="thirty-two at most"),
    ],
)
def test_each_hand_over_in_vain_doubles_the_stay_that_a_node_must_earn(times: int, hours: int) -> None:
    account = Account()
    for _ in range(times):
        account = given_up(account, now=NOON)
    _, verdict = step(account, (0.116,), terms=TERMS, now=NOON)
    assert verdict.price == pytest.approx(0.1 * hours)


def test_with_a_doubled_stay_twice_as_much_can_be_earned() -> None:
    account = paying((0.116,), 103, account=given_up(Account(), now=NOON))
    _, verdict = step(account, (0.116,), terms=TERMS, now=NOON + 103 * MINUTE)
    assert isinstance(verdict, Buy)


def test_a_hand_over_in_vain_forgets_what_was_paid() -> None:
    account = given_up(paying((0.116,), 40), now=NOON + 40 * MINUTE)
    _, verdict = step(account, (0.116,), terms=TERMS, now=NOON + 40 * MINUTE)
    assert verdict.paid == pytest.approx(0.116 / 60)


def test_a_hand_over_that_came_about_ends_the_doubling() -> None:
    account = arrived(given_up(Account(), now=NOON))
    _, verdict = step(account, (0.116,), terms=TERMS, now=NOON)
    assert verdict.price == pytest.approx(0.1)


def test_looks_in_quick_succession_neither_lose_money_nor_fill_the_memory() -> None:
    terms = Terms(hourly=10.0, stay=HOUR, look=timedelta(seconds=1))
    account = Account()
    for second in range(3000):
        account, verdict = step(
            account, (0.1 * (1 + second % 3),), terms=terms, now=NOON + timedelta(seconds=second)
        )
    assert verdict.paid == pytest.approx(0.2 * 3000 / 3600, rel=0.001)
    assert len(account.past) <= 241


def test_a_clock_that_went_back_takes_nothing_away() -> None:
    account = paying((0.116,), 40)
    _, verdict = step(account, (0.116,), terms=TERMS, now=NOON + 20 * MINUTE)
    assert verdict.paid >= 0.116 * 38 / 60


@given(
    looks=some.lists(
        some.tuples(some.integers(-7200, 7200), some.lists(some.floats(0, 0.2), max_size=3)),
        min_size=1,
        max_size=40,
    )
)
@settings(max_examples=200)
def test_whatever_the_clock_does_the_past_stays_in_order(looks: list[tuple[int, list[float]]]) -> None:
    account, now = NEW, NOON
    for seconds, levels in looks:
        now += timedelta(seconds=seconds)
        account, verdict = step(account, tuple(sorted(levels, reverse=True)), terms=TERMS, now=now)
        ends = [end for each in account.past for end in (each.since, each.until)]
        assert ends == sorted(ends)
        assert all(end <= now for end in ends)
        assert verdict.paid >= 0


def test_levels_that_vary_while_the_clock_is_a_quarter_of_an_hour_behind_are_counted_on() -> None:
    account = NEW
    for look in range(80):
        account, _ = step(account, (0.05 + 0.01 * (look % 2),), terms=TERMS, now=NOON + look * MINUTE / 4)
    back = NOON + 5 * MINUTE
    for look in range(80):
        account, verdict = step(
            account, (0.05 + 0.01 * (look % 2),), terms=TERMS, now=back + look * MINUTE / 4
        )
    assert verdict.paid == pytest.approx(0.055 * 40 / 60, rel=0.05)


def test_nothing_is_charged_while_nobody_can_say_what_a_node_costs() -> None:
    account = paying((0.116,), 40)
    account = paused(account, stay=HOUR, now=NOON + 40 * MINUTE)
    account = paused(account, stay=HOUR, now=NOON + 90 * MINUTE)
    _, verdict = step(account, (0.116,), terms=TERMS, now=NOON + 90 * MINUTE)
    assert verdict.paid == pytest.approx(0.116 * 10 / 60)


def test_an_account_without_overflow_becomes_blank_again() -> None:
    account = paying((0.116,), 10)
    assert not is_blank(account, stay=HOUR)
    assert is_blank(paying((), 75, account=account), stay=HOUR)


def test_hand_overs_in_vain_are_forgotten_when_nothing_has_overflowed_for_the_doubled_stay() -> None:
    account = paying((0.116,), 10, account=given_up(NEW, now=NOON))
    assert not is_blank(paying((), 75, account=account), stay=HOUR)
    assert is_blank(paying((), 135, account=account), stay=HOUR)


def test_a_hand_over_in_vain_is_not_forgotten_before_its_pods_overflow_anew() -> None:
    account, _ = step(given_up(NEW, now=NOON), (), terms=TERMS, now=NOON)
    assert not is_blank(account, stay=HOUR)
