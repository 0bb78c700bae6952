from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.extender.cluster.autoscaler_status import Growth, growth_in
from tests.extender.cluster.bodies import GROUP, TEXT, YAML

SEEN = datetime(2026, 1, 1, 11, 59, 55, tzinfo=UTC)


def test_the_yaml_form_tells_what_has_not_joined_of_a_growing_group() -> None:
    since = datetime(2026, 1, 1, 11, 59, 5, tzinfo=UTC)
    assert growth_in(YAML) == (Growth(group=GROUP, nodes=2, since=since, seen=SEEN),)


def test_the_text_form_tells_what_has_not_joined_of_a_growing_group() -> None:
    since = datetime(2026, 1, 1, 11, 59, 2, tzinfo=UTC)
    assert growth_in(TEXT) == (Growth(group="workers-bf5999ab", nodes=2, since=since, seen=SEEN),)


@pytest.mark.parametrize(
    "status",
    [
        pytest.param("", id="nothing"),
        pytest.param("Initializing", id="before its first look"),
        pytest.param(YAML.replace("InProgress", "NoActivity"), id="nothing grows"),
        pytest.param(YAML.replace("cloudProviderTarget: 6", "cloudProviderTarget: 4"), id="all have joined"),
        pytest.param(YAML.replace("cloudProviderTarget: 6", "cloudProviderTarget: many"), id="no number"),
        pytest.param(YAML.replace("2026-01-01T11:59:05", "soon"), id="no time"),
        pytest.param(YAML.replace("2026-01-01T11:59:05", "2026-13-01T11:59:05"), id="no such day"),
        pytest.param("nodeGroups: [InProgress", id="no YAML"),
        pytest.param("nodeGroups: InProgress", id="no list"),
        pytest.param("nodeGroups: [{scaleUp: InProgress, health: 1}]", id="another shape"),
        pytest.param(TEXT.replace("registered=1 ", ""), id="text without a count"),
        pytest.param("NodeGroups:\n  Name: a\n  ScaleUp: InProgress (", id="text that was cut off"),
    ],
)
def test_no_group_is_said_to_grow(status: str) -> None:
    assert growth_in(status) == ()


def test_times_that_the_yaml_reader_takes_for_times_are_times() -> None:
    plain = YAML.replace('"2026', "2026").replace('Z"', "Z")
    assert growth_in(plain) == growth_in(YAML)


ALIASED = YAML.replace(f"name: {GROUP}", "name: *long").replace(
    "time: 2026", "long: &long [z, z]\ntime: 2026"
)
ONE = YAML.partition("nodeGroups:\n")[2].partition("- name: spot")[0]


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(YAML + "lists: " + "[" * 60_000, id="lists that never end"),
        pytest.param(YAML + "lists: " + "[" * 60_000 + "]" * 60_000, id="lists in lists"),
        pytest.param(YAML + "maps: " + "{a: " * 40_000 + "}" * 40_000, id="maps in maps"),
        pytest.param(YAML + "lists:\n  " + "- " * 60_000, id="lists in lists on one line"),
        pytest.param(YAML + "maps:\n  " + "? " * 60_000, id="maps for keys"),
        pytest.param(YAML + "".join(f"{' ' * depth}a:\n" for depth in range(900)), id="levels of maps"),
        pytest.param(ALIASED, id="aliases"),
        pytest.param(YAML + "#" * 2**19, id="longer than any"),
        pytest.param(YAML.replace(GROUP, "g" * 256), id="a name that no group has"),
        pytest.param(YAML.replace(GROUP, "[a]"), id="a name that is a list"),
        pytest.param(YAML.replace("cloudProviderTarget: 6", "cloudProviderTarget: .inf"), id="no end"),
        pytest.param(YAML.replace("cloudProviderTarget: 6", "cloudProviderTarget: 6000000"), id="too many"),
        pytest.param(YAML.replace("cloudProviderTarget: 6", "cloudProviderTarget: [6]"), id="a list"),
        pytest.param("InProgress\n" + "\n" * 300_000, id="empty lines without end"),
        pytest.param("InProgress NodeGroups:" + "\n Name:" * 60_000, id="names without end"),
    ],
)
def test_what_would_break_its_reader_is_not_read(status: str) -> None:
    assert growth_in(status) == ()


def test_no_more_groups_are_said_to_grow_than_a_cluster_has() -> None:
    assert len(growth_in("nodeGroups:\n" + ONE * 600)) == 500


@given(st.integers(0, len(YAML)), st.text(max_size=5))
def test_a_status_that_was_cut_off_or_spoilt_does_no_harm(where: int, junk: str) -> None:
    for status in (YAML, TEXT):
        assert all(each.nodes > 0 for each in growth_in(status[:where] + junk))
