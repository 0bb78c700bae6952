import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kubelet.messages import Answer
from app.kubelet.routing import (
    AttachRoute,
    ContainerLogsRoute,
    ContainerPath,
    ExecRoute,
    HealthzRoute,
    PortForwardRoute,
    Route,
    name_of,
    route,
)

PATH = ContainerPath(namespace="shop", pod="web-1", container="main")


@pytest.mark.parametrize(
    ("target", "found"),
    [
        pytest.param(
            "/containerLogs/shop/web-1/main", ContainerLogsRoute(PATH, ""), id="log without options"
        ),
        pytest.param(
            "/containerLogs/shop/web-1/main?follow=true&tailLines=0",
            ContainerLogsRoute(PATH, "follow=true&tailLines=0"),
            id="log with options",
        ),
        pytest.param(
            "https://10.0.0.1:10250/containerLogs/shop/web-1/main",
            ContainerLogsRoute(PATH, ""),
            id="absolute form",
        ),
        pytest.param("/containerLogs/shop/web%2D1/main", ContainerLogsRoute(PATH, ""), id="percent-encoded"),
        pytest.param("/healthz", HealthzRoute(), id="health"),
    ],
)
def test_a_target_names_its_resource(target: str, found: object) -> None:
    assert route("GET", target) == found


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        pytest.param("GET", "/", 404, id="root"),
        pytest.param("GET", "/spec/", 404, id="not served"),
        pytest.param("GET", "/containerLogs/shop/web-1", 404, id="no container"),
        pytest.param("GET", "/containerLogs/shop/web-1/", 404, id="empty container"),
        pytest.param("GET", "/containerLogs/shop/web-1/main/more", 404, id="too deep"),
        pytest.param("GET", "/containerLogs/shop/%2e%2e/main%00/x", 404, id="odd names"),
        pytest.param("GET", "/containerLogs/shop/%ff/main", 400, id="not UTF-8"),
        pytest.param("GET", "http://[::1/healthz/x", 404, id="broken authority"),
        pytest.param("OPTIONS", "*", 404, id="asterisk"),
        pytest.param("CONNECT", "shop:443", 404, id="authority form"),
        pytest.param("POST", "/containerLogs/shop/web-1/main", 405, id="POST of a log"),
        pytest.param("HEAD", "/containerLogs/shop/web-1/main", 405, id="HEAD of a log"),
        pytest.param("DELETE", "/healthz", 405, id="DELETE of health"),
        pytest.param("POST", "/nothing", 404, id="unknown path before wrong method"),
    ],
)
def test_what_is_not_served_is_answered(method: str, target: str, status: int) -> None:
    answer = route(method, target)
    assert isinstance(answer, Answer)
    assert answer.status == status


@given(method=st.text(max_size=8), target=st.text(max_size=60))
def test_every_target_has_an_answer(method: str, target: str) -> None:
    assert isinstance(route(method, target), Answer | Route)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("target", "found"),
    [
        pytest.param("/exec/shop/web-1/main?command=ls", ExecRoute(PATH, "command=ls"), id="exec"),
        pytest.param("/attach/shop/web-1/main?output=1", AttachRoute(PATH, "output=1"), id="attach"),
        pytest.param(
            "/portForward/shop/web-1?port=80", PortForwardRoute("shop", "web-1", "port=80"), id="port-forward"
        ),
        pytest.param(
            "/portForward/shop/web-1/0a-1b",
            PortForwardRoute("shop", "web-1", ""),
            id="port-forward with the pod's uid",
        ),
        pytest.param("/exec/shop/web-1/0a-1b/main", ExecRoute(PATH, ""), id="exec with the pod's uid"),
    ],
)
def test_a_session_is_asked_for_by_websocket_and_by_spdy(method: str, target: str, found: object) -> None:
    assert route(method, target) == found


def test_a_wrong_method_names_the_right_ones() -> None:
    answer = route("PUT", "/exec/shop/web-1/main")
    assert isinstance(answer, Answer)
    assert answer.headers == (("Allow", "GET, POST"),)


def test_metrics_have_one_name_for_whatever_is_not_served() -> None:
    assert (name_of(ExecRoute(PATH, "")), name_of(route("GET", "/nothing/x"))) == ("exec", "none")
