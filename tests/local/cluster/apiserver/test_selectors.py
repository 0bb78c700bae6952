"""Selectors that the conformance suite does not reach."""

from typing import Any

import pytest

from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.selectors import matcher, selects


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        pytest.param({}, True, id="empty selects everything"),
        pytest.param(None, False, id="none selects nothing"),
        pytest.param({"matchLabels": {"a": "1"}}, True, id="label"),
        pytest.param({"matchLabels": {"a": "2"}}, False, id="another value"),
        pytest.param({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1"]}]}, True, id="in"),
        pytest.param(
            {"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}, True, id="not in"
        ),
        pytest.param({"matchExpressions": [{"key": "b", "operator": "Exists"}]}, False, id="exists"),
        pytest.param({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]}, True, id="does not"),
    ],
)
def test_label_selectors_of_objects(selector: dict[str, Any] | None, *, selected: bool) -> None:
    assert selects(selector, {"a": "1"}) is selected


@pytest.mark.parametrize("selector", ["=a", "a=b,", "a=b c", "a in", "a in (", "a ~ b", "!"])
def test_a_label_selector_that_cannot_be_read_is_refused(selector: str) -> None:
    with pytest.raises(ApiError, match="unable to parse requirement"):
        matcher("pods", labels=selector)


def test_an_empty_selector_is_no_selector() -> None:
    assert matcher("pods") is None


def test_a_boolean_field_is_a_word() -> None:
    selected = matcher("nodes", fields="spec.unschedulable=true")

    assert selected is not None
    assert selected({"metadata": {}, "spec": {"unschedulable": True}})
    assert not selected({"metadata": {}, "spec": {}})
