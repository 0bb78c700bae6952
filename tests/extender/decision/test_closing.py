from datetime import datetime, timedelta

import pytest

from app.extender.cluster.facts import Ledger
from app.extender.decision.ledger import Closing, closing_after
from app.model.names import PodUid
from tests.builders import NOON, VIRTUAL
from tests.extender.fakes import a_grant, a_pressing_pod

POD = a_pressing_pod(uid="u1")
UNBOUND = {POD.uid: POD}
NONE: Ledger = {VIRTUAL: ()}
SHOWN: Ledger = {VIRTUAL: (a_grant(POD),)}
FLIGHT = timedelta(seconds=2)
Known = dict[PodUid, Closing]


def closing(*, known: Known, shown: Ledger, standing: Ledger = NONE, now: datetime = NOON) -> Known:
    return closing_after(known, shown=shown, standing=standing, unbound=UNBOUND, now=now, in_flight=FLIGHT)


UNTIL = Closing(VIRTUAL, NOON + FLIGHT)


@pytest.mark.parametrize(
    ("known", "shown", "standing", "after"),
    [
        pytest.param({}, SHOWN, SHOWN, {}, id="it stands"),
        pytest.param({}, SHOWN, NONE, {POD.uid: UNTIL}, id="taken back"),
        pytest.param({POD.uid: UNTIL}, NONE, NONE, {POD.uid: UNTIL}, id="shown no longer"),
        pytest.param({POD.uid: UNTIL}, SHOWN, SHOWN, {}, id="stands again"),
        pytest.param({POD.uid: Closing(VIRTUAL, NOON)}, NONE, NONE, {}, id="nobody can be landing any more"),
        pytest.param(
            {POD.uid: Closing(VIRTUAL, NOON - FLIGHT)}, SHOWN, NONE, {POD.uid: UNTIL}, id="still not written"
        ),
    ],
)
def test_a_grant_that_was_taken_back_is_remembered_while_it_may_be_used(
    known: Known, shown: Ledger, standing: Ledger, after: Known
) -> None:
    assert closing(known=known, shown=shown, standing=standing) == after


def test_one_that_expired_is_not_taken_back() -> None:
    assert closing(known={}, shown=SHOWN, now=NOON + timedelta(seconds=62)) == {}


def test_a_clock_that_is_set_back_keeps_none_for_longer_than_from_then_on() -> None:
    back = NOON - timedelta(days=1)
    assert closing(known={POD.uid: UNTIL}, shown=NONE, now=back) == {POD.uid: Closing(VIRTUAL, back + FLIGHT)}


def test_who_is_bound_or_gone_is_forgotten() -> None:
    assert closing(known={PodUid("other"): UNTIL}, shown=NONE) == {}
