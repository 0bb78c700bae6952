"""When a certificate is asked for anew, and what becomes of a request."""

from datetime import timedelta

import pytest

from app.tls.renewal import (
    LOOK,
    PATIENCE,
    REMIND,
    SLOW_LOOK,
    Approve,
    File,
    Filed,
    GiveUp,
    Life,
    Look,
    Present,
    Rest,
    Step,
    renew_at,
    step,
)
from tests.builders import NOON

DAY = timedelta(days=1)
LIFE = Life(since=NOON, until=NOON + 100 * DAY)
FILED = Filed(name="csr-1", at=NOON)


@pytest.mark.parametrize(
    ("jitter", "days"),
    [
        pytest.param(0.0, 70, id="earliest"),
        pytest.param(0.5, 80, id="between"),
        pytest.param(1.0, 90, id="latest"),
    ],
)
def test_a_certificate_is_renewed_at_70_to_90_per_cent_of_its_life(jitter: float, days: int) -> None:
    assert renew_at(LIFE, jitter=jitter) == NOON + days * DAY


@pytest.mark.parametrize(
    ("life", "filed", "after", "approve", "expected"),
    [
        pytest.param(None, None, 0 * DAY, False, File(), id="the-first"),
        pytest.param(LIFE, None, 69 * DAY, False, Rest(NOON + 70 * DAY), id="young"),
        pytest.param(LIFE, None, 70 * DAY, False, File(), id="due"),
        pytest.param(LIFE, None, 200 * DAY, False, File(), id="ended"),
        pytest.param(
            LIFE,
            Filed(name="csr-1", at=NOON, problem="Denied"),
            DAY,
            True,
            GiveUp("csr-1", "Denied", NOON + DAY + timedelta(minutes=10)),
            id="denied",
        ),
        pytest.param(
            LIFE,
            Filed(name="csr-1", at=NOON, problem="Failed", certificate="PEM"),
            DAY,
            False,
            GiveUp("csr-1", "Failed", NOON + DAY + timedelta(minutes=10)),
            id="failed-though-signed",
        ),
        pytest.param(
            None, Filed(name="csr-1", at=NOON, certificate="PEM"), DAY, True, Present("PEM"), id="signed"
        ),
        pytest.param(None, FILED, 0 * DAY, True, Approve("csr-1"), id="ours-to-approve"),
        pytest.param(
            None,
            Filed(name="csr-1", at=NOON, approved=True, reminded=NOON),
            0 * DAY,
            True,
            Look("csr-1", LOOK, remind=False),
            id="approved-and-not-signed-yet",
        ),
        pytest.param(None, FILED, 0 * DAY, False, Look("csr-1", LOOK, remind=True), id="others-to-approve"),
        pytest.param(
            None,
            Filed(name="csr-1", at=NOON, reminded=NOON),
            PATIENCE,
            False,
            Look("csr-1", SLOW_LOOK, remind=False),
            id="long-waited-for",
        ),
        pytest.param(
            None,
            Filed(name="csr-1", at=NOON, reminded=NOON),
            REMIND,
            False,
            Look("csr-1", SLOW_LOOK, remind=True),
            id="reminded-of-again",
        ),
    ],
)
def test_what_is_next(
    life: Life | None, filed: Filed | None, after: timedelta, approve: bool, expected: Step
) -> None:
    assert step(life, filed, now=NOON + after, jitter=0.0, approve=approve) == expected
