import itertools
from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.extender.cluster.watermark import Watermark, WatermarkConfig, changes_at, step
from tests.builders import NOON

CONFIG = WatermarkConfig(high=0.9, low=0.75, dwell=timedelta(seconds=60))
SECOND = timedelta(seconds=1)
LOW, HIGH = Watermark("low", NOON), Watermark("high", NOON)


@pytest.mark.parametrize(
    ("state", "level", "seconds", "after"),
    [
        pytest.param(None, 0.89, 0, Watermark("low", NOON), id="first look, below the high mark"),
        pytest.param(None, 0.9, 0, Watermark("high", NOON), id="first look, at the high mark"),
        pytest.param(LOW, 0.9, 60, Watermark("high", NOON + 60 * SECOND), id="up at the mark"),
        pytest.param(LOW, 0.89, 999, LOW, id="not up below it"),
        pytest.param(LOW, 1.0, 59, LOW, id="not up before the dwell time"),
        pytest.param(HIGH, 0.75, 60, Watermark("low", NOON + 60 * SECOND), id="down at the mark"),
        pytest.param(HIGH, 0.76, 999, HIGH, id="not down above it"),
        pytest.param(HIGH, 0.0, 59, HIGH, id="not down before the dwell time"),
        pytest.param(
            HIGH, 0.0, -3600, Watermark("high", NOON - 3600 * SECOND), id="the dwell time anew, set back"
        ),
    ],
)
def test_where_the_level_leads(state: Watermark | None, level: float, seconds: int, after: Watermark) -> None:
    assert step(state, level, NOON + seconds * SECOND, CONFIG) == after


@pytest.mark.parametrize(
    ("state", "level", "seconds"),
    [
        pytest.param(LOW, 0.95, 60, id="low, but the level is high"),
        pytest.param(HIGH, 0.5, 60, id="high, but the level is low"),
        pytest.param(LOW, 0.8, None, id="low, in between"),
        pytest.param(HIGH, 0.8, None, id="high, in between"),
    ],
)
def test_when_the_state_changes_if_the_level_stays(
    state: Watermark, level: float, seconds: int | None
) -> None:
    found = changes_at(state, level, CONFIG)
    assert found == (None if seconds is None else NOON + seconds * SECOND)
    assert found is None or step(state, level, found, CONFIG).mark != state.mark


class Look(NamedTuple):
    """A level, so many seconds after the last look, while the clock was set back by so many."""

    level: float
    after: int
    back: int


LOOKS = st.builds(Look, st.floats(0, 2), st.integers(0, 90), st.sampled_from([0, 0, 0, 5, 500]))


@given(st.lists(LOOKS, max_size=60), st.integers(0, 120))
def test_two_changes_are_never_closer_than_the_dwell_time_though_the_clock_is_set_back(
    looks: list[Look], dwell: int
) -> None:
    config = WatermarkConfig(dwell=timedelta(seconds=dwell))
    state, passed, clock = None, 0, NOON
    marks: list[tuple[str, int]] = []
    for look in looks:
        passed, clock = passed + look.after, clock + (look.after - look.back) * SECOND
        state = step(state, look.level, clock, config)
        marks.append((state.mark, passed))
    changes = [next(group)[1] for _, group in itertools.groupby(marks, key=lambda each: each[0])]
    assert all(later - earlier >= dwell for earlier, later in itertools.pairwise(changes))


@given(st.lists(st.floats(0.7501, 0.8999), max_size=20), st.sampled_from([LOW, HIGH]))
def test_between_the_marks_nothing_changes(levels: list[float], state: Watermark) -> None:
    found = state
    for number, level in enumerate(levels):
        found = step(found, level, NOON + number * 100 * SECOND, CONFIG)
    assert found == state
