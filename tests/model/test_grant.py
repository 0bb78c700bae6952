"""Grants survive their annotation, and nothing else passes for them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.grant import Grant, GrantsError, read_grants, written
from app.model.names import GRANTS, PodUid
from app.model.resources import Resources
from tests.builders import NOON

grants = st.lists(
    st.builds(
        Grant,
        uid=st.text(min_size=1).map(PodUid),
        pod=st.text(),
        room=st.builds(Resources, cpu_milli=st.integers(0, 2**40), pods=st.just(1)),
        expires=st.datetimes(
            min_value=datetime(2020, 1, 1),  # noqa: DTZ001  (the strategy adds the zone)
            max_value=datetime(2100, 1, 1),  # noqa: DTZ001  (the strategy adds the zone)
            timezones=st.just(UTC),
        ),
    ),
    unique_by=lambda grant: grant.uid,
    max_size=5,
)


@given(grants)
def test_grants_survive_their_annotation(given_out: list[Grant]) -> None:
    assert sorted(read_grants({GRANTS: written(given_out)}), key=lambda each: each.uid) == sorted(
        given_out, key=lambda each: each.uid
    )


@given(grants)
def test_equal_ledgers_are_equal_text(given_out: list[Grant]) -> None:
    assert written(given_out) == written(reversed(given_out))


@pytest.mark.parametrize("annotations", [{}, {GRANTS: ""}, {GRANTS: "[]"}], ids=["absent", "empty", "none"])
def test_a_node_without_grants_has_none(annotations: dict[str, str]) -> None:
    assert read_grants(annotations) == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("yes", id="no-json"),
        pytest.param("{}", id="no-list"),
        pytest.param('[{"x":' + "[" * 50_000 + "]" * 50_000 + "}]", id="nested-deep"),
        pytest.param('[{"uid": "u"}]', id="half-a-grant"),
        pytest.param(
            '[{"uid": "u", "pod": "p", "room": {}, "expires": "2026-01-01T12:00:00"}]', id="no-time-zone"
        ),
    ],
)
def test_a_foreign_annotation_is_an_error_with_the_mend(text: str) -> None:
    with pytest.raises(GrantsError, match="remove it, the gate writes it anew"):
        read_grants({GRANTS: text})


def test_a_grants_end_compares_with_a_clock() -> None:
    grant = Grant(uid=PodUid("u"), pod="shop/web", room=Resources(), expires=NOON + timedelta(seconds=5))
    (read,) = read_grants({GRANTS: written([grant])})
    assert read.expires > NOON
