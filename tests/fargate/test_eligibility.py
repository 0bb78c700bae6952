"""Which pods Fargate can run: every field of a pod is carried, somebody else's business, or refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fargate.eligibility import refusals
from app.fargate.sizes import Size, size_for
from app.model.pod import Pod
from app.model.requests import requests_of
from tests.builders import a_container, a_pod, owned_by
from tests.fargate.samples import (
    TOKEN_MOUNT,
    TOKEN_VOLUME,
    as_the_api_server_sends_it,
    found,
    with_container,
)


def has_size(pod: Pod) -> bool:
    asked = requests_of(pod)
    return isinstance(size_for(asked.cpu_milli, asked.memory), Size)


def test_a_pod_with_all_defaults_of_the_api_server_runs() -> None:
    assert refusals(as_the_api_server_sends_it()) == ()


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"terminationGracePeriodSeconds": 3600}, id="a-long-grace-is-cut-not-refused"),
        pytest.param({"tolerations": [{"operator": "Exists"}]}, id="tolerations"),
        pytest.param({"nodeSelector": {"disktype": "ssd"}}, id="a-selector-of-the-users-own"),
        pytest.param(
            {"nodeSelector": {"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux"}}, id="our-platform"
        ),
        pytest.param({"topologySpreadConstraints": [{"maxSkew": 1}]}, id="spread"),
        pytest.param({"schedulingGates": [{"name": "quota"}]}, id="gates"),
        pytest.param({"readinessGates": [{"conditionType": "x/y"}]}, id="readiness-gates"),
        pytest.param({"priorityClassName": "high", "priority": 1000}, id="priority"),
        pytest.param({"securityContext": {}, "dnsConfig": {}, "affinity": {}}, id="empty-objects"),
        pytest.param({"securityContext": {"sysctls": [], "seLinuxOptions": {}}}, id="objects-of-nothing"),
        pytest.param({"securityContext": {"windowsOptions": {"hostProcess": None}}}, id="object-of-nulls"),
        pytest.param({"hostUsers": True, "shareProcessNamespace": False}, id="explicit-defaults"),
        pytest.param({"setHostnameAsFQDN": False, "enableServiceLinks": True}, id="more-explicit-defaults"),
        pytest.param({"os": {"name": "linux"}}, id="linux"),
        pytest.param({"dnsPolicy": "Default"}, id="dns-default"),
        pytest.param({"resources": {}}, id="no-pod-resources"),
        pytest.param({"restartPolicy": "Never"}, id="a-job"),
        pytest.param({"evictionResponders": [{"name": "x"}]}, id="eviction-responders"),
    ],
)
def test_a_pod_that_asks_for_nothing_special_runs(spec: dict[str, Any]) -> None:
    assert refusals(a_pod(**spec)) == ()


def test_containers_are_summed_for_the_size() -> None:
    pod = a_pod(containers=[a_container("a", cpu="20"), a_container("b", cpu="20")])
    assert found(pod) == [("TooLarge", "spec.containers")]


def test_storage_above_fargates_is_refused() -> None:
    pod = with_container(resources={"requests": {"ephemeral-storage": "201Gi"}})
    assert found(pod) == [("TooMuchEphemeralStorage", "spec.containers")]


def test_ten_containers_run_and_eleven_do_not() -> None:
    ten = [a_container(f"c{number}") for number in range(10)]
    assert found(a_pod(containers=ten)) == []
    assert found(a_pod(containers=[*ten, a_container("c10")])) == [("TooManyContainers", "spec.containers")]


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_several_containers_run_under_every_restart_policy(policy: str) -> None:
    assert found(a_pod(containers=[a_container("a"), a_container("b")], restartPolicy=policy)) == []


def test_init_containers_count_as_containers_of_the_task() -> None:
    ten = [a_container(f"c{number}") for number in range(10)]
    pod = a_pod(containers=ten, initContainers=[a_container("i")])
    assert found(pod) == [("TooManyContainers", "spec.containers")]


def test_more_words_than_definition_and_overrides_hold_are_refused() -> None:
    pod = with_container(env=[{"name": "CONFIGURATION", "value": "x" * 80_000}])
    assert found(pod) == [("WordsTooLong", "spec.containers")]


def test_a_pod_without_containers_is_refused() -> None:
    assert found(Pod()) == [("NoContainers", "spec.containers")]


def test_a_daemon_sets_pod_is_refused() -> None:
    pod = a_pod(metadata=owned_by("DaemonSet"))
    assert found(pod) == [("DaemonSet", "metadata.ownerReferences")]


def test_a_static_pod_is_refused() -> None:
    pod = a_pod(annotations={"kubernetes.io/config.mirror": "0f3a"})
    assert found(pod) == [("StaticPod", "metadata.annotations")]


def test_a_pod_with_the_injected_token_volume_runs() -> None:
    pod = a_pod(volumes=[TOKEN_VOLUME], containers=[a_container(volumeMounts=[TOKEN_MOUNT])])
    assert refusals(pod) == ()


def test_a_capacity_that_is_none_is_refused() -> None:
    pod = a_pod(annotations={"spillway.dev/capacity": "cheap"})
    assert found(pod) == [("InvalidCapacity", "metadata.annotations[spillway.dev/capacity]")]


@pytest.mark.parametrize("capacity", ["on-demand", "spot", "spot-first"])
def test_a_capacity_that_there_is_runs(capacity: str) -> None:
    assert found(a_pod(annotations={"spillway.dev/capacity": capacity})) == []


def test_a_mount_without_a_volume_is_refused() -> None:
    pod = with_container(volumeMounts=[{"name": "lost", "mountPath": "/lost"}])
    assert found(pod) == [("UnknownVolume", "spec.containers[0].volumeMounts[0]")]


def test_every_reason_is_named_in_a_stable_order() -> None:
    pod = a_pod(
        hostPID=True,
        hostNetwork=True,
        volumes=[{"name": "host", "hostPath": {"path": "/"}}],
        containers=[
            a_container(
                "a",
                readinessProbe={"tcpSocket": {"port": 80, "host": "db"}},
                securityContext={"privileged": True},
                volumeMounts=[{"name": "lost", "mountPath": "/lost"}],
            ),
            a_container("b", image=""),
        ],
    )
    assert found(pod) == [
        ("HostNetwork", "spec.hostNetwork"),
        ("HostPID", "spec.hostPID"),
        ("Volume", "spec.volumes[0].hostPath"),
        ("SecurityContext", "spec.containers[0].securityContext.privileged"),
        ("Probe", "spec.containers[0].readinessProbe.tcpSocket.host"),
        ("NoImage", "spec.containers[1].image"),
        ("UnknownVolume", "spec.containers[0].volumeMounts[0]"),
    ]


@given(
    st.dictionaries(
        st.sampled_from(["cpu", "memory", "ephemeral-storage", "nvidia.com/gpu"]),
        st.one_of(st.text(max_size=6), st.from_regex(r"[+-]?[0-9]{1,20}([.][0-9]{1,3})?(m|Ki|Gi|E|e9)?")),
    )
)
def test_a_pod_without_refusals_always_has_requests_and_a_size(requests: dict[str, str]) -> None:
    pod = with_container(resources={"requests": requests})
    assert refusals(pod) or has_size(pod)
