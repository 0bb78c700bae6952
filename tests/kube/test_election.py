import pytest

from app.kube.election import Claim, Create, Follow, Sighting, claimed, document, move, released
from app.kube.lease_wire import LeaseSpec, WireLease, judged


def held_by(holder: str | None, *, renewed: str = "t1", seconds: int | None = 15) -> WireLease:
    return WireLease(
        spec=LeaseSpec(
            holder_identity=holder,
            lease_duration_seconds=seconds,
            acquire_time="t0",
            renew_time=renewed,
            lease_transitions=3,
        )
    )


THEIRS = held_by("b")
SEEN = Sighting(judged(THEIRS).record, at=100.0)


@pytest.mark.parametrize(
    ("lease", "sighting", "now", "expected"),
    [
        pytest.param(None, None, 0.0, Create(), id="no lease"),
        pytest.param(held_by(""), None, 0.0, Claim(), id="released"),
        pytest.param(held_by(None), None, 0.0, Claim(), id="no holder"),
        pytest.param(held_by("a"), None, 0.0, Claim(), id="ours"),
        pytest.param(
            THEIRS, None, 100.0, Follow(SEEN), id="seen for the first time, however old it says it is"
        ),
        pytest.param(THEIRS, SEEN, 114.9, Follow(SEEN), id="not expired"),
        pytest.param(THEIRS, SEEN, 115.0, Claim(), id="expired"),
        pytest.param(
            held_by("b", renewed="t2"),
            SEEN,
            115.0,
            Follow(Sighting(judged(held_by("b", renewed="t2")).record, at=115.0)),
            id="renewed at the last moment",
        ),
        pytest.param(
            held_by("b", seconds=60),
            Sighting(judged(held_by("b", seconds=60)).record, at=100.0),
            130.0,
            Follow(Sighting(judged(held_by("b", seconds=60)).record, at=100.0)),
            id="the holder's duration counts, not ours",
        ),
        pytest.param(
            held_by("b", seconds=None),
            Sighting(judged(held_by("b", seconds=None)).record, at=100.0),
            114.0,
            Follow(Sighting(judged(held_by("b", seconds=None)).record, at=100.0)),
            id="no duration told, ours counts",
        ),
    ],
)
def test_a_candidate_takes_only_what_is_free_or_expired(
    lease: WireLease | None, sighting: Sighting | None, now: float, expected: object
) -> None:
    assert move(lease, identity="a", sighting=sighting, now=now, seconds=15) == expected


def test_a_renewal_keeps_when_it_was_acquired() -> None:
    assert claimed(held_by("a").spec, identity="a", seconds=15, now="t9") == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "t0",
        "renewTime": "t9",
        "leaseTransitions": 3,
    }


def test_taking_over_counts_a_transition() -> None:
    spec = claimed(held_by("b").spec, identity="a", seconds=15, now="t9")
    assert (spec["acquireTime"], spec["leaseTransitions"]) == ("t9", 4)


def test_a_first_lease_has_no_transitions() -> None:
    assert claimed(None, identity="a", seconds=15, now="t9")["leaseTransitions"] == 0


def test_a_released_lease_is_free() -> None:
    spec = released(now="t9")
    lease = held_by(spec["holderIdentity"], seconds=spec["leaseDurationSeconds"])
    assert move(lease, identity="a", sighting=None, now=0.0, seconds=15) == Claim()


def test_a_write_keeps_what_others_put_on_the_lease_and_its_version() -> None:
    before = {"metadata": {"resourceVersion": "7", "labels": {"team": "x"}}, "spec": {"strategy": "s"}}
    assert document(before, namespace="ns", name="l", spec={"holderIdentity": "a"}) == {
        "metadata": {"resourceVersion": "7", "labels": {"team": "x"}},
        "spec": {"strategy": "s", "holderIdentity": "a"},
    }
