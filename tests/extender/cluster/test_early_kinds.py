import msgspec

from app.extender.cluster.early_kinds import MOST_KINDS, EarlyKinds
from app.model import names
from app.model.pod import Pod
from tests.builders import a_pod, owned_by
from tests.extender.fakes import ENABLED, a_namespace
from tests.fakes import FakeWatched


def willing(
    name: str = "web-1",
    *,
    owner: str = "web",
    said: str = "allowed",
    namespace: str = "shop",
    labels: dict[str, str] | None = None,
) -> Pod:
    return a_pod(
        name,
        namespace=namespace,
        labels=labels or {},
        metadata=owned_by("ReplicaSet", owner),
        annotations={names.EARLY: said},
    )


def test_a_controller_is_known_by_its_last_pod() -> None:
    pods = FakeWatched([willing("web-1"), willing("db-1", owner="db")])
    kinds = EarlyKinds(pods)
    pods.put(willing("web-2"))
    assert [pod.metadata.name for pod in kinds.all(ENABLED)] == ["db-1", "web-2"]


def test_a_pod_that_is_bound_or_gone_still_tells_of_its_controller() -> None:
    pod = willing()
    pods = FakeWatched([pod])
    kinds = EarlyKinds(pods)
    bare = msgspec.structs.replace(pod.metadata, annotations={})
    pods.put(msgspec.structs.replace(pod, metadata=bare))
    pods.drop(pod.key)
    assert kinds.all(ENABLED) == (pod,)


def test_who_does_not_allow_it_is_not_known() -> None:
    bare = a_pod("bare", annotations={names.EARLY: "allowed"})
    silent = a_pod("silent", metadata=owned_by("ReplicaSet"))
    assert EarlyKinds(FakeWatched([bare, silent, willing("no", said="yes")])).all(ENABLED) == ()


def test_those_seen_last_stay() -> None:
    pods: FakeWatched[Pod] = FakeWatched()
    kinds = EarlyKinds(pods)
    for number in range(MOST_KINDS + 1):
        pods.put(willing(f"web-{number}", owner=f"web-{number}"))
    names_left = [pod.metadata.name for pod in kinds.all(ENABLED)]
    assert (len(names_left), "web-0" in names_left) == (MOST_KINDS, False)


def test_whoever_makes_up_controllers_pushes_out_nobody_elses() -> None:
    pods = FakeWatched([willing("real")])
    kinds = EarlyKinds(pods)
    for number in range(MOST_KINDS * 2):
        pods.put(willing(f"web-{number}", owner=f"web-{number}", namespace="bank"))
    found = kinds.all({**ENABLED, "bank": a_namespace("bank")})
    assert (len(found), found[0].metadata.name) == (MOST_KINDS, "real")


def test_who_did_not_opt_in_is_forgotten() -> None:
    elsewhere, out, unclear = (
        willing("a", namespace="bank"),
        willing("b", owner="b", labels={names.OVERFLOW: "disabled"}),
        willing("c", owner="c", labels={names.OVERFLOW: "perhaps"}),
    )
    kinds = EarlyKinds(FakeWatched([elsewhere, out, unclear, willing()]))
    assert [pod.metadata.name for pod in kinds.all(ENABLED)] == ["web-1"]
    assert [pod.metadata.name for pod in kinds.all({**ENABLED, "bank": a_namespace("bank")})] == ["web-1"]
