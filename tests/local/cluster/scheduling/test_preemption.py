from app.local.cluster.scheduling.filters import filtered
from app.local.cluster.scheduling.preemption import PREEMPTED, dry_run, ineligible, preferred_node
from app.local.cluster.scheduling.snapshot import Rejection
from tests.builders import a_node, a_pod, a_virtual_node
from tests.local.cluster.scheduling.builders import a_snapshot

EVERYTHING = [{"operator": "Exists"}]


def test_only_as_many_victims_as_needed_the_least_important_first() -> None:
    node = a_node(cpu="1")
    high, low, lower = (
        a_pod(name, cpu="300m", priority=priority)
        for name, priority in (("high", 5), ("low", 2), ("lower", 1))
    )
    snapshot = a_snapshot({node.name: [lower, high, low]}, nodes=[node])
    urgent = a_pod("urgent", cpu="600m", priority=10)
    run = dry_run(urgent, snapshot, rejected=filtered(urgent, snapshot).rejected)
    assert run.candidates == {node.name: (low, lower)}


def test_pods_of_equal_priority_are_no_victims() -> None:
    node = a_node(cpu="1")
    snapshot = a_snapshot({node.name: [a_pod(cpu="900m", priority=10)]}, nodes=[node])
    urgent = a_pod(cpu="600m", priority=10)
    run = dry_run(urgent, snapshot, rejected=filtered(urgent, snapshot).rejected)
    assert run.candidates == {}
    assert run.failures[node.name].reasons == ("No preemption victims found for incoming pod",)


def test_a_node_that_eviction_cannot_help_is_not_tried() -> None:
    node = a_node(cpu="1")
    snapshot = a_snapshot({node.name: [a_pod(cpu="900m")]}, nodes=[node])
    huge = a_pod(cpu="2", priority=10)
    run = dry_run(huge, snapshot, rejected=filtered(huge, snapshot).rejected)
    assert (run.candidates, run.failures) == ({}, {})


def test_a_full_virtual_node_loses_pods_to_a_daemon_that_tolerates_everything() -> None:
    victim = a_pod("overflow", cpu="500m")
    node = a_virtual_node(cpu="500m", memory="512Mi", pods="1")
    daemon = a_pod("daemon", cpu="100m", memory="64Mi", priority=2_000_001_000, tolerations=EVERYTHING)
    snapshot = a_snapshot({node.name: [victim]}, nodes=[node])
    run = dry_run(daemon, snapshot, rejected=filtered(daemon, snapshot).rejected)
    assert run.candidates == {node.name: (victim,)}


def test_a_node_that_only_an_extender_rejects_offers_no_victims() -> None:
    node = a_node()
    snapshot = a_snapshot({node.name: [a_pod(cpu="100m")]}, nodes=[node])
    rejected = {node.name: Rejection(plugin="Extender", reasons=("no",), resolvable=True)}
    run = dry_run(a_pod(priority=10), snapshot, rejected=rejected)
    assert (run.candidates, run.idle) == ({}, (node.name,))


def test_the_node_with_the_lowest_highest_priority_loses() -> None:
    candidates = {
        "a": (a_pod(priority=5),),
        "b": (a_pod(priority=2), a_pod(priority=2)),
        "c": (a_pod(priority=2), a_pod(priority=1)),
    }
    assert preferred_node(candidates) == "c"


def test_of_equals_the_node_whose_victims_started_last_loses() -> None:
    early = a_pod(status={"startTime": "2026-01-01T10:00:00Z"})
    late = a_pod(status={"startTime": "2026-01-01T11:00:00Z"})
    assert preferred_node({"a": (early,), "b": (late,)}) == "b"


def test_a_pod_that_may_not_preempt_says_so() -> None:
    pod = a_pod(preemptionPolicy="Never")
    assert (
        ineligible(pod, a_snapshot(), nominated_is_hopeless=False)
        == "not eligible due to preemptionPolicy=Never."
    )


def test_a_pod_waits_for_the_victims_that_it_evicted() -> None:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": PREEMPTED}
    victim = a_pod(metadata={"deletionTimestamp": "2026-01-01T12:00:00Z"}, status={"conditions": [condition]})
    snapshot = a_snapshot({"ec2-0": [victim]}, nodes=[a_node()])
    pod = a_pod(priority=10, status={"nominatedNodeName": "ec2-0"})
    assert (
        ineligible(pod, snapshot, nominated_is_hopeless=False)
        == "not eligible due to a terminating pod on the nominated node."
    )
    assert ineligible(pod, snapshot, nominated_is_hopeless=True) == ""
