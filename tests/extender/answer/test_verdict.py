import pytest

from app.extender.answer.verdict import NO_GRANT, REAL_FIRST, Verdict, filter_verdict, may_preempt_on, scores

V = frozenset({"v1", "v2"})


@pytest.mark.parametrize(
    ("names", "granted", "expected"),
    [
        pytest.param(["a", "b"], [], Verdict(("a", "b")), id="only real nodes pass as they are"),
        pytest.param([], [], Verdict(()), id="nothing stays nothing"),
        pytest.param(["a", "v1"], [], Verdict(("a",), {"v1": REAL_FIRST}), id="a real node comes first"),
        pytest.param(
            ["v1", "a"], ["v1"], Verdict(("a",), {"v1": REAL_FIRST}), id="even where the pod has a grant"
        ),
        pytest.param(["v1"], [], Verdict((), {"v1": NO_GRANT}), id="without a grant it stays Unschedulable"),
        pytest.param(["v1"], ["v1"], Verdict(("v1",)), id="with a grant it bursts"),
        pytest.param(
            ["v1", "v2"], ["v2"], Verdict(("v2",), {"v1": NO_GRANT}), id="only onto the node of its grant"
        ),
        pytest.param(
            ["v1"], ["v2"], Verdict((), {"v1": NO_GRANT}), id="a grant on a node that is no candidate"
        ),
    ],
)
def test_a_virtual_node_survives_only_alone_and_granted(
    names: list[str], granted: list[str], expected: Verdict
) -> None:
    assert filter_verdict(names, virtual=V, granted=frozenset(granted)) == expected


def test_the_order_of_the_scheduler_is_kept() -> None:
    assert filter_verdict(["c", "v1", "a", "b"], virtual=V).passed == ("c", "a", "b")


@pytest.mark.parametrize("message", [NO_GRANT, REAL_FIRST])
def test_a_message_holds_no_number_that_could_change(message: str) -> None:
    assert not any(character.isdigit() for character in message)


def test_every_candidate_is_scored_alike() -> None:
    assert scores(["a", "v1"]) == (("a", 0), ("v1", 0))


def test_virtual_nodes_are_never_preempted_on() -> None:
    assert may_preempt_on(["a", "v1", "v2"], virtual=V) == {"a"}
