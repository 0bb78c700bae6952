"""Capabilities and kernel parameters that Fargate takes, and how ECS writes them."""

import pytest

from app.fargate.security_fields import DEFAULT_CAPABILITIES, capability, dotted_sysctl
from tests.builders import a_pod
from tests.fargate.samples import found, with_container


@pytest.mark.parametrize("name", ["SYS_PTRACE", "CAP_SYS_PTRACE", "NET_BIND_SERVICE", "chown"])
def test_a_capability_that_ecs_adds_or_every_container_has_runs(name: str) -> None:
    assert found(with_container(securityContext={"capabilities": {"add": [name]}})) == []


@pytest.mark.parametrize("name", ["SYS_ADMIN", "ALL", "NET_ADMIN", ""])
def test_any_other_capability_is_refused(name: str) -> None:
    pod = with_container(securityContext={"capabilities": {"add": ["CHOWN", name]}})
    assert found(pod) == [("SecurityContext", "spec.containers[0].securityContext.capabilities.add[1]")]


def test_a_capability_is_written_as_ecs_has_it() -> None:
    assert capability("cap_net_raw") == "NET_RAW"
    assert {capability(each) for each in DEFAULT_CAPABILITIES} == DEFAULT_CAPABILITIES


@pytest.mark.parametrize(
    "name", ["net.core.somaxconn", "net/ipv4/tcp_syncookies", "fs.mqueue.msg_max", "kernel.shm_rmid_forced"]
)
def test_a_kernel_parameter_of_the_tasks_own_runs(name: str) -> None:
    assert found(a_pod(securityContext={"sysctls": [{"name": name, "value": "1"}]})) == []


@pytest.mark.parametrize("name", ["vm.max_map_count", "kernel.panic", "network.x", "fs.file-max"])
def test_a_kernel_parameter_of_the_host_is_refused(name: str) -> None:
    pod = a_pod(securityContext={"sysctls": [{"name": name, "value": "1"}]})
    assert found(pod) == [("SecurityContext", "spec.securityContext.sysctls[0].name")]


@pytest.mark.parametrize(
    ("name", "dotted"),
    [
        pytest.param("net.ipv4.tcp_syncookies", "net.ipv4.tcp_syncookies", id="dots-stay"),
        pytest.param("net/ipv4/tcp_syncookies", "net.ipv4.tcp_syncookies", id="slashes-become-dots"),
        pytest.param(
            "net/ipv4/conf/eno2.100/rp_filter", "net.ipv4.conf.eno2/100.rp_filter", id="a-dot-in-a-name"
        ),
        pytest.param(
            "net.ipv4.conf.eno2/100.rp_filter", "net.ipv4.conf.eno2/100.rp_filter", id="a-slash-in-a-name"
        ),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_kernel_parameter_is_written_with_dots(name: str, dotted: str) -> None:
    assert dotted_sysctl(name) == dotted
