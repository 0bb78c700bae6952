from typing import Any

import msgspec
import pytest

from app.kube.answers import failure
from app.kube.evictions import Evictions
from app.model.meta import OwnerReference
from app.model.replicas import Replicas
from app.ports.failures import DisruptionBudget, NotFound, Refused, Throttled, Unavailable
from tests.builders import a_pod
from tests.kube.fakes import FakeTransport

POD = a_pod("web-1", uid="u1")
IGNORES = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}

FAILS = {"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [0]}}


def owner(kind: str = "ReplicaSet", api_version: str = "apps/v1") -> OwnerReference:
    return OwnerReference(api_version=api_version, kind=kind, name="web", uid="c1", controller=True)


def a_controller(spec: dict[str, Any], status: dict[str, Any], uid: str = "c1") -> dict[str, Any]:
    return {"metadata": {"name": "web", "uid": uid}, "spec": spec, "status": status}


async def test_an_eviction_is_for_this_uid_only() -> None:
    server = FakeTransport({})
    await Evictions(server).evict(POD)
    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/api/v1/namespaces/shop/pods/web-1/eviction")
    assert asked.body["metadata"]["name"] == "web-1"
    assert asked.body["deleteOptions"] == {"preconditions": {"uid": "u1"}}


async def test_several_budgets_are_an_objection_although_the_server_calls_it_an_error_of_its_own() -> None:
    said = Unavailable("POST /x: 500 This pod has more than one PodDisruptionBudget, which ...")
    with pytest.raises(DisruptionBudget, match="leave one of them"):
        await Evictions(FakeTransport(said)).evict(POD)


async def test_no_answer_to_an_eviction_is_no_objection() -> None:
    with pytest.raises(Unavailable):
        await Evictions(FakeTransport(Unavailable("timeout"))).evict(POD)


@pytest.mark.parametrize(
    ("kind", "api_version", "path"),
    [
        ("ReplicaSet", "apps/v1", "/apis/apps/v1/namespaces/shop/replicasets/web"),
        ("StatefulSet", "apps/v1", "/apis/apps/v1/namespaces/shop/statefulsets/web"),
        ("ReplicationController", "v1", "/api/v1/namespaces/shop/replicationcontrollers/web"),
        ("Job", "batch/v1", "/apis/batch/v1/namespaces/shop/jobs/web"),
    ],
)
async def test_a_controller_is_asked_where_it_lives(kind: str, api_version: str, path: str) -> None:
    server = FakeTransport(a_controller({}, {}))
    await Evictions(server).replicas("shop", owner(kind, api_version))
    assert [each.path for each in server.asked] == [path]


@pytest.mark.parametrize(
    ("spec", "status", "replicas"),
    [
        pytest.param({"replicas": 3}, {"readyReplicas": 2}, Replicas(wanted=3, ready=2), id="some"),
        pytest.param({"replicas": 3}, {}, Replicas(wanted=3, ready=0), id="none is left out on the wire"),
        pytest.param({"replicas": 0}, {}, Replicas(wanted=0, ready=0), id="scaled to nothing"),
        pytest.param({}, {"readyReplicas": 1}, Replicas(wanted=1, ready=1), id="one by default"),
    ],
)
async def test_a_set_says_how_many_are_ready(
    spec: dict[str, Any], status: dict[str, Any], replicas: Replicas
) -> None:
    assert await Evictions(FakeTransport(a_controller(spec, status))).replicas("shop", owner()) == replicas


@pytest.mark.parametrize(
    ("rules", "forgives"),
    [
        pytest.param([IGNORES], True, id="ignores disruptions"),
        pytest.param([{**IGNORES, "action": "Count"}], False, id="counts them"),
        pytest.param(
            [{"action": "Ignore", "onExitCodes": {"operator": "In", "values": [1]}}], False, id="other"
        ),
        pytest.param([], False, id="no rule"),
        pytest.param([FAILS, IGNORES], False, id="an exit code fails the Job before that"),
        pytest.param([IGNORES, FAILS], True, id="an exit code would fail the Job after that"),
        pytest.param([{**FAILS, "action": "FailIndex"}, IGNORES], False, id="an exit code fails the index"),
        pytest.param([{**IGNORES, "action": "FailJob"}, IGNORES], False, id="fails for them before that"),
        pytest.param([{**IGNORES, "action": "Count"}, IGNORES], False, id="counts them before that"),
        pytest.param([{**FAILS, "action": "Ignore"}, IGNORES], True, id="ignores an exit code before that"),
    ],
)
async def test_a_job_says_whether_it_forgives_an_eviction(rules: list[Any], forgives: bool) -> None:
    job = a_controller({"podFailurePolicy": {"rules": rules}}, {"active": 4, "ready": 3})
    found = await Evictions(FakeTransport(job)).replicas("shop", owner("Job", "batch/v1"))
    assert found == Replicas(wanted=4, ready=3, forgives=forgives)


@pytest.mark.parametrize(
    ("status", "steady"),
    [
        pytest.param({}, True, id="all alike"),
        pytest.param({"updatedReplicas": 2}, False, id="one of its pods is being deleted"),
        pytest.param({"updateRevision": "db-2", "currentReplicas": 2}, False, id="a rollout"),
    ],
)
async def test_a_stateful_set_counts_pods_as_ready_that_are_being_deleted(
    status: dict[str, Any], steady: bool
) -> None:
    whole = {"replicas": 3, "readyReplicas": 3, "updatedReplicas": 3}
    revisions = {"currentRevision": "db-1", "updateRevision": "db-1"}
    server = FakeTransport(a_controller({"replicas": 3}, {**whole, **revisions, **status}))
    found = await Evictions(server).replicas("shop", owner("StatefulSet"))
    assert found == Replicas(wanted=3, ready=3, steady=steady)


async def test_another_controller_of_that_name_is_not_ours() -> None:
    server = FakeTransport(a_controller({"replicas": 3}, {"readyReplicas": 3}, uid="other"))
    with pytest.raises(NotFound):
        await Evictions(server).replicas("shop", owner())


async def test_a_kind_that_is_not_built_in_cannot_be_asked() -> None:
    with pytest.raises(Refused, match="CloneSet"):
        await Evictions(FakeTransport()).replicas("shop", owner("CloneSet", "apps.kruise.io/v1alpha1"))


def too_many(**details: Any) -> bytes:
    body = {"message": "Cannot evict pod.", "reason": "TooManyRequests", "code": 429, "details": details}
    return msgspec.json.encode(body)


def test_a_budget_speaks_in_its_own_words() -> None:
    cause = {"reason": "DisruptionBudget", "message": "The disruption budget web needs 3 healthy pods."}
    said = failure(429, too_many(causes=[cause]), asked="POST /x")
    assert type(said) is DisruptionBudget
    assert str(said) == "Cannot evict pod. The disruption budget web needs 3 healthy pods."


def test_too_many_requests_without_a_budget_is_a_matter_of_pace() -> None:
    assert type(failure(429, too_many(retryAfterSeconds=1), asked="POST /x")) is Throttled
