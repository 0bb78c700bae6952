"""Which nodes are ours, and which take pods."""

import pytest

from app.model.names import TAINT_EFFECT, TAINT_KEY
from app.model.node import is_ready, is_virtual
from tests.builders import a_node, a_virtual_node


def test_our_taint_makes_a_node_virtual() -> None:
    assert is_virtual(a_virtual_node())


@pytest.mark.parametrize(
    "taints",
    [
        pytest.param([], id="no taint"),
        pytest.param([{"key": TAINT_KEY, "value": "azure", "effect": TAINT_EFFECT}], id="another provider's"),
        pytest.param([{"key": "dedicated", "value": "fargate", "effect": TAINT_EFFECT}], id="another key"),
    ],
)
def test_other_taints_do_not(taints: list[dict[str, str]]) -> None:
    assert not is_virtual(a_node(taints=taints))


def test_a_node_is_ready_when_it_says_so() -> None:
    assert is_ready(a_node())
    assert not is_ready(a_node(ready=False))
