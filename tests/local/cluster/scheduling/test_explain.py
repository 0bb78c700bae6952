from app.local.cluster.scheduling.explain import fit_error, no_victims, shortened
from app.local.cluster.scheduling.preemption import DryRun
from app.local.cluster.scheduling.snapshot import Rejection

CPU = Rejection(plugin="NodeResourcesFit", reasons=("Insufficient cpu",), resolvable=True)
TAINT = Rejection(plugin="TaintToleration", reasons=("node(s) had untolerated taint(s)",))
NOBODY = Rejection(plugin="DefaultPreemption", reasons=("No preemption victims found for incoming pod",))


def test_reasons_are_counted_and_sorted_as_text() -> None:
    assert fit_error(3, {"a": CPU, "b": TAINT, "c": CPU}) == (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu."
    )


def test_what_preemption_found_follows() -> None:
    why = no_victims(3, DryRun(candidates={}, failures={"a": NOBODY, "c": NOBODY}))
    assert fit_error(3, {"a": CPU, "b": TAINT, "c": CPU}, preemption=why) == (
        "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: "
        "1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."
    )


def test_nodes_that_were_not_looked_at_are_counted_too() -> None:
    absent = Rejection(plugin="NodeAffinity", reasons=("node(s) didn't satisfy plugin(s) [NodeAffinity]",))
    assert fit_error(3, {"a": CPU}, absent=absent) == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]."
    )


def test_a_node_that_needs_no_victim_is_told() -> None:
    assert (
        no_victims(2, DryRun(candidates={}, failures={}, idle=("a",)))
        == 'preemption: expected at least one victim pod on node "a"'
    )


def test_a_message_never_exceeds_an_events_note() -> None:
    assert shortened("x" * 2000) == "x" * 1020 + " ..."
    assert shortened("short") == "short"
