"""How values are laid out in the vault's entries."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bridge.material import entries
from tests.bridge.material.fakes import meta


@pytest.mark.parametrize(
    ("value", "text", "encoded"),
    [
        pytest.param(b"plain", "plain", False, id="text"),
        pytest.param("grüße".encode(), "grüße", False, id="utf-8"),
        pytest.param(b"", "", False, id="empty"),
        pytest.param(b"\xff\xfe", "//4=", True, id="no text"),
        pytest.param(b"a\0b", "YQBi", True, id="NUL"),
    ],
)
def test_values_that_no_variable_can_hold_are_encoded(value: bytes, text: str, *, encoded: bool) -> None:
    assert entries.text_of(value) == (text, encoded)


def test_a_part_shows_its_keys_only() -> None:
    [part] = entries.parts_of({"password": b"hunter2"})

    assert repr(part) == "Part(['password'])"


def test_names_tell_cluster_node_object_and_version() -> None:
    prefix = entries.prefix_of(cluster="c1", node="fargate-1a")

    assert entries.entry_name(prefix, meta("db")) == "spillway/c1/fargate-1a/uid-of-db_7"
    assert entries.entry_name(prefix, meta("db"), "pull", 0) == "spillway/c1/fargate-1a/uid-of-db_7_pull_0"


def test_the_entries_of_a_node_never_begin_like_anothers() -> None:
    other = entries.entry_name(entries.prefix_of(cluster="c1", node="fargate-2"), meta("db"))

    assert not other.startswith(entries.prefix_of(cluster="c1", node="fargate"))
    assert not entries.seal_name(cluster="c1").startswith(entries.prefix_of(cluster="c1", node="seal-1"))


def test_the_largest_value_that_fits_is_not_too_large() -> None:
    room = entries.LARGEST - len('{"k":""}')

    assert entries.too_large({"k": b"x" * room}) == ()
    assert entries.too_large({"k": b"x" * (room + 1)}) == ("k",)


@given(
    st.dictionaries(
        st.from_regex(r"[-._a-zA-Z0-9]{1,40}", fullmatch=True),
        st.one_of(
            st.binary(max_size=40),
            st.builds(
                lambda unit, times: unit * times,
                st.sampled_from([b"x", b'"', b"\xff", b"\n"]),
                st.integers(0, 16_000),
            ),
        ),
        max_size=12,
    )
)
def test_parts_hold_every_key_once_and_none_exceeds_an_entry(data: dict[str, bytes]) -> None:
    parts = entries.parts_of(data)

    assert [key for part in parts for key in part.content] == list(data)
    assert all(part.content and entries.size_of(part.content) <= entries.LARGEST for part in parts)
    assert {
        key: base64.b64decode(text) if key in part.encoded else text.encode()
        for part in parts
        for key, text in part.content.items()
    } == data
