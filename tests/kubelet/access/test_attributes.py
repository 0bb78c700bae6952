import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kubelet.access.attributes import attributes
from app.kubelet.routing import (
    AttachRoute,
    ContainerLogsRoute,
    ExecRoute,
    PodsRoute,
    PortForwardRoute,
    RunningPodsRoute,
    route,
)

PROXY = ("proxy",)


@pytest.mark.parametrize(
    ("target", "subresources"),
    [
        pytest.param("/containerLogs/shop/web-1/main?follow=true", PROXY, id="containerLogs"),
        pytest.param("/exec/shop/web-1/main?command=sh", PROXY, id="exec"),
        pytest.param("/attach/shop/web-1/main", PROXY, id="attach"),
        pytest.param("/portForward/shop/web-1", PROXY, id="portForward"),
        pytest.param("/run/shop/web-1/main", PROXY, id="what-is-not-served"),
        pytest.param("/stats/summary?only_cpu_and_memory=true", ("stats",), id="stats"),
        pytest.param("/metrics/resource", ("metrics",), id="resource-metrics"),
        pytest.param("/metrics", ("metrics",), id="metrics"),
        pytest.param("/logs/", ("log",), id="logs"),
        pytest.param("/pods", ("pods", "proxy"), id="pods"),
        pytest.param("/pods/", ("pods", "proxy"), id="pods-with-a-slash"),
        pytest.param("/runningpods/", ("pods", "proxy"), id="runningpods"),
        pytest.param("/healthz", ("healthz", "proxy"), id="healthz"),
        pytest.param("/healthz/ping", ("healthz", "proxy"), id="below-healthz"),
        pytest.param("/configz", ("configz", "proxy"), id="configz"),
        pytest.param("/flagz", ("configz",), id="flagz"),
        pytest.param("/podsandmore", PROXY, id="only-a-whole-word-counts"),
        pytest.param("/p%6Fds", ("pods", "proxy"), id="quoted-as-the-route-reads-it"),
        pytest.param("/pods%2F..%2Fexec", PROXY, id="a-quoted-slash-is-no-slash"),
        pytest.param("//exec/shop/web-1/main", PROXY, id="two-slashes"),
        pytest.param("/?/pods", PROXY, id="in-the-query"),
        pytest.param("https://node/stats/summary", PROXY, id="absolute-form"),
        pytest.param("/%FF", PROXY, id="no-text"),
        pytest.param("", PROXY, id="nothing"),
    ],
)
def test_a_path_asks_for_its_subresource_of_nodes(target: str, subresources: tuple[str, ...]) -> None:
    assert attributes("GET", target).subresources == subresources


@pytest.mark.parametrize(
    ("method", "verb"),
    [
        pytest.param("GET", "get", id="GET"),
        pytest.param("POST", "create", id="POST"),
        pytest.param("PUT", "update", id="PUT"),
        pytest.param("PATCH", "patch", id="PATCH"),
        pytest.param("DELETE", "delete", id="DELETE"),
        pytest.param("HEAD", "", id="another-is-no-verb-that-a-role-names"),
    ],
)
def test_a_method_asks_for_its_verb(method: str, verb: str) -> None:
    assert attributes(method, "/exec/a/b/c").verb == verb


WORDS = [
    "exec",
    "attach",
    "portForward",
    "containerLogs",
    "pods",
    "runningpods",
    "stats",
    "metrics",
    "healthz",
]
SIGNS = ["/", "//", "..", ".", "%2F", "%2f..%2f", "%65xec", "?", "#", ";", "https://node", "shop", "web-1"]
PIECES = st.sampled_from([*WORDS, *SIGNS])
TARGETS = st.builds("".join, st.lists(PIECES, max_size=12)) | st.text(max_size=20).map(
    lambda text: "/" + text
)
METHODS = st.sampled_from(["GET", "POST"])
STRONG = (ExecRoute, AttachRoute, PortForwardRoute, ContainerLogsRoute)


@given(method=METHODS, target=TARGETS | TARGETS.map(lambda rest: f"/exec/shop/web-1/main{rest}"))
def test_no_spelling_of_a_path_enters_containers_with_less_than_proxy(method: str, target: str) -> None:
    entered = isinstance(route(method, target), STRONG)
    assert not entered or attributes(method, target).subresources == PROXY


@given(target=TARGETS | TARGETS.map(lambda rest: f"/pods{rest}"))
def test_no_spelling_of_a_path_lists_pods_with_less_than_pods(target: str) -> None:
    listed = isinstance(route("GET", target), (PodsRoute, RunningPodsRoute))
    assert not listed or attributes("GET", target).subresources in {PROXY, ("pods", "proxy")}
