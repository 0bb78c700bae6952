import msgspec

from app.local.cluster.scheduling.cache import ClusterCache
from app.local.cluster.scheduling.hints import Part
from app.model.pod import Pod
from tests.builders import a_node, a_pod


def bound(pod: Pod, node: str = "ec2-0") -> Pod:
    return msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, node_name=node))


def finished(pod: Pod) -> Pod:
    return msgspec.structs.replace(pod, status=msgspec.structs.replace(pod.status, phase="Succeeded"))


def a_cache() -> ClusterCache:
    cache = ClusterCache()
    cache.put_node(a_node(), {})
    return cache


def used(cache: ClusterCache) -> int:
    return cache.snapshot().nodes["ec2-0"].requested.cpu_milli


def test_an_assumed_pod_takes_its_room_before_the_watch_tells() -> None:
    cache, pod = a_cache(), a_pod(cpu="700m")
    cache.assume(pod, bound(pod))
    cache.put_pod(pod)
    assert used(cache) == 700
    cache.put_pod(bound(pod))
    assert used(cache) == 700


def test_a_failed_binding_gives_the_room_back() -> None:
    cache, pod = a_cache(), a_pod()
    cache.assume(pod, bound(pod))
    change = cache.forget(pod.uid)
    assert used(cache) == 0
    assert change is not None
    assert change.parts == {Part.REMOVED}


def test_a_binding_that_arrives_counts_as_an_added_pod() -> None:
    cache, pod = a_cache(), a_pod()
    cache.assume(pod, bound(pod))
    change = cache.put_pod(bound(pod))
    assert change is not None
    assert change.parts == {Part.ADDED}


def test_a_finished_pod_frees_its_room() -> None:
    cache, pod = a_cache(), bound(a_pod())
    cache.put_pod(pod)
    change = cache.put_pod(finished(pod))
    assert used(cache) == 0
    assert change is not None
    assert change.parts == {Part.REMOVED}


def test_pods_of_a_node_that_is_not_known_yet_count_once_it_is() -> None:
    cache = ClusterCache()
    cache.put_pod(bound(a_pod(cpu="300m")))
    cache.put_node(a_node(), {})
    assert used(cache) == 300


def test_a_snapshot_does_not_change_under_a_cycle() -> None:
    cache = a_cache()
    before = cache.snapshot()
    cache.put_pod(bound(a_pod()))
    assert before.nodes["ec2-0"].pods == ()


def test_a_nominated_pod_waits_at_its_node_until_it_is_bound() -> None:
    cache = a_cache()
    pod = a_pod(status={"nominatedNodeName": "ec2-0"})
    cache.put_pod(pod)
    assert cache.snapshot().nominated == {"ec2-0": (pod,)}
    cache.put_pod(bound(pod))
    assert cache.snapshot().nominated == {}


def test_a_nominated_pod_that_is_deleted_frees_what_was_kept_for_it() -> None:
    cache = a_cache()
    pod = a_pod(status={"nominatedNodeName": "ec2-0"})
    cache.put_pod(pod)
    change = cache.drop_pod(pod)
    assert change is not None
    assert change.parts == {Part.REMOVED}
