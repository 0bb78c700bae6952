from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.model.times import later, rfc3339, rfc3339_micro

EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("write", "moment", "text"),
    [
        pytest.param(
            rfc3339, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z", id="seconds"
        ),
        pytest.param(
            rfc3339,
            datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC),
            "2026-01-02T03:04:05Z",
            id="a-part-of-a-second-is-dropped",
        ),
        pytest.param(rfc3339, datetime(2026, 1, 1, 1, tzinfo=EAST), "2025-12-31T23:00:00Z", id="in-utc"),
        pytest.param(
            rfc3339,
            datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2))),
            "9999-12-31T23:00:00Z",
            id="after-the-last-year",
        ),
        pytest.param(
            rfc3339_micro,
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            "2026-01-02T03:04:05.000000Z",
            id="six-digits-even-of-nothing",
        ),
        pytest.param(
            rfc3339_micro,
            datetime(2026, 1, 1, 1, 0, 0, 60, tzinfo=EAST),
            "2025-12-31T23:00:00.000060Z",
            id="six-digits-in-utc",
        ),
    ],
)
def test_times_are_written_as_kubernetes_does(
    write: Callable[[datetime], str], moment: datetime, text: str
) -> None:
    assert write(moment) == text


@pytest.mark.parametrize(
    ("wait", "year"),
    [pytest.param(1, 9998, id="there-is-time"), pytest.param(10**6, 9999, id="after-the-last-moment")],
)
def test_a_moment_may_not_come_after_the_last(wait: int, year: int) -> None:
    assert later(datetime(9998, 1, 1, tzinfo=UTC), timedelta(days=wait)).year == year
