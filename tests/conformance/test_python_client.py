"""The official Python client: its models, its calls and its watches."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes import config, watch
from kubernetes.client import (
    ApiClient,
    ApiException,
    AppsV1Api,
    Configuration,
    CoordinationV1Api,
    CoreV1Api,
    V1Container,
    V1Lease,
    V1LeaseSpec,
    V1ObjectMeta,
    V1Pod,
    V1PodSpec,
)

from tests.conformance.servers import ApiServer, Space, a_deployment, a_pod

RENEWED = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.fixture
def client(api: ApiServer) -> Iterator[ApiClient]:
    configuration = Configuration()
    load: Any = config.load_kube_config  # untyped
    load(config_file=str(api.kubeconfig), client_configuration=configuration)
    configuration.proxy = None
    with ApiClient(configuration) as made:
        yield made


# The client's types call every field optional, which no test could read: its APIs are Any here.


@pytest.fixture
def core(client: ApiClient) -> Any:
    return CoreV1Api(client)


@pytest.fixture
def apps(client: ApiClient) -> Any:
    return AppsV1Api(client)


@pytest.fixture
def coordination(client: ApiClient) -> Any:
    return CoordinationV1Api(client)


def a_lease(name: str = "lock") -> V1Lease:
    spec = V1LeaseSpec(holder_identity="me", lease_duration_seconds=15, renew_time=RENEWED)
    return V1Lease(metadata=V1ObjectMeta(name=name), spec=spec)


def watched(list_: Callable[..., Any], space: Space, version: str) -> list[tuple[str, str]]:
    """Types and names of the events after a version, up to the first deletion."""
    untyped: Any = watch.Watch
    stream = untyped()
    seen = []
    for event in stream.stream(list_, space.name, resource_version=version, timeout_seconds=20):
        seen.append((event["type"], event["object"].metadata.name))
        if event["type"] == "DELETED":
            stream.stop()
    return seen


def test_a_pod_is_created_from_its_model(space: Space, core: Any) -> None:
    spec = V1PodSpec(containers=[V1Container(name="main", image="app:1")])
    created = core.create_namespaced_pod(space.name, V1Pod(metadata=V1ObjectMeta(name="web"), spec=spec))

    assert core.read_namespaced_pod("web", space.name).metadata.uid == created.metadata.uid
    assert created.status.phase == "Pending"
    assert created.metadata.creation_timestamp.tzinfo is not None


def test_pods_are_listed_by_label(space: Space, core: Any) -> None:
    space.pod("a", metadata={"labels": {"app": "shop"}})
    space.pod("b")

    found = core.list_namespaced_pod(space.name, label_selector="app=shop")

    assert [each.metadata.name for each in found.items] == ["a"]


def test_a_pod_and_its_status_are_patched(space: Space, core: Any) -> None:
    space.pod()
    core.patch_namespaced_pod("web", space.name, {"metadata": {"labels": {"a": "b"}}})
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}

    patched = core.patch_namespaced_pod_status("web", space.name, ready)

    assert patched.metadata.labels == {"a": "b"}
    assert [(each.type, each.status) for each in patched.status.conditions] == [("Ready", "True")]


def test_a_pod_is_deleted(space: Space, core: Any) -> None:
    space.pod()

    core.delete_namespaced_pod("web", space.name, grace_period_seconds=0)

    with pytest.raises(ApiException) as missing:
        core.read_namespaced_pod("web", space.name)
    assert (missing.value.status, missing.value.reason) == (404, "Not Found")


def test_pods_are_watched(space: Space, core: Any) -> None:
    version = core.list_namespaced_pod(space.name).metadata.resource_version
    core.create_namespaced_pod(space.name, a_pod())
    core.patch_namespaced_pod("web", space.name, {"metadata": {"labels": {"a": "b"}}})
    core.delete_namespaced_pod("web", space.name, grace_period_seconds=0)

    seen = watched(core.list_namespaced_pod, space, version)

    assert (seen[0], seen[1], seen[-1]) == (("ADDED", "web"), ("MODIFIED", "web"), ("DELETED", "web"))


def test_a_lease_keeps_the_microseconds_of_its_renewal(space: Space, coordination: Any) -> None:
    coordination.create_namespaced_lease(space.name, a_lease())

    [found] = coordination.list_namespaced_lease(space.name).items

    assert (found.spec.renew_time, found.spec.holder_identity) == (RENEWED, "me")


def test_a_lease_that_somebody_else_renewed_is_a_conflict(space: Space, coordination: Any) -> None:
    mine = coordination.create_namespaced_lease(space.name, a_lease())
    coordination.patch_namespaced_lease("lock", space.name, {"spec": {"holderIdentity": "somebody"}})

    with pytest.raises(ApiException) as conflict:
        coordination.replace_namespaced_lease("lock", space.name, mine)

    assert conflict.value.status == 409


def test_leases_are_watched(space: Space, coordination: Any) -> None:
    version = coordination.list_namespaced_lease(space.name).metadata.resource_version
    coordination.create_namespaced_lease(space.name, a_lease())
    coordination.patch_namespaced_lease("lock", space.name, {"spec": {"leaseTransitions": 1}})
    coordination.delete_namespaced_lease("lock", space.name)

    seen = watched(coordination.list_namespaced_lease, space, version)

    assert seen == [("ADDED", "lock"), ("MODIFIED", "lock"), ("DELETED", "lock")]


def test_a_deployment_is_created_listed_and_scaled(space: Space, apps: Any) -> None:
    apps.create_namespaced_deployment(space.name, a_deployment())

    scale = apps.patch_namespaced_deployment_scale("web", space.name, {"spec": {"replicas": 1}})

    assert scale.spec.replicas == 1
    assert [each.spec.replicas for each in apps.list_namespaced_deployment(space.name).items] == [1]


def test_deployments_are_watched(space: Space, apps: Any) -> None:
    version = apps.list_namespaced_deployment(space.name).metadata.resource_version
    apps.create_namespaced_deployment(space.name, a_deployment())
    apps.patch_namespaced_deployment("web", space.name, {"spec": {"paused": True}})
    apps.delete_namespaced_deployment("web", space.name, propagation_policy="Background")

    seen = watched(apps.list_namespaced_deployment, space, version)

    assert (seen[0], seen[-1]) == (("ADDED", "web"), ("DELETED", "web"))
    assert ("MODIFIED", "web") in seen
