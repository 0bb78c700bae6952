import asyncio
import json
import ssl

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from app.kubelet.access.access import Access, AccessConfig
from app.kubelet.metrics import KubeletMetrics
from app.kubelet.server import KubeletConfig, KubeletServer, cut_off
from app.ports.access import Caller
from app.ports.failures import Refused, Unavailable
from app.tls.serving_context import ServingContext
from tests.builders import a_pod
from tests.fakes import VirtualClock, settle
from tests.kubelet.access.fakes import FakeReviews
from tests.kubelet.clients import LOG, Node, comes_to_a_stand, rest, status_of, until
from tests.kubelet.fakes import FakeDirectory, FakeLogStreams
from tests.kubelet.whole import FakeContainers, resources

GET_LOG = f"GET {LOG} HTTP/1.1\r\nHost: node\r\n\r\n"
GET_HEALTH = "GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n"
FOLLOW = f"GET {LOG}?follow=true HTTP/1.1\r\nHost: node\r\n\r\n"


def a_server() -> KubeletServer:
    clock, metrics = VirtualClock(), KubeletMetrics(CollectorRegistry())
    return KubeletServer(
        resources(FakeDirectory(), FakeLogStreams(), FakeContainers(), clock=clock),
        access=Access(
            FakeReviews(), node="fargate", clock=clock, config=AccessConfig(), metrics=metrics, pepper=b""
        ),
        clock=clock,
        config=KubeletConfig(),
        metrics=metrics,
        tls=ServingContext().listening,
    )


async def eventually_quiet(node: Node) -> None:
    """Wait until the server has noticed that its clients are gone."""
    async with asyncio.timeout(30):
        await asyncio.gather(*node.server._connections)


async def test_a_log_is_answered_in_chunks_of_plain_text(node: Node) -> None:
    answer = await node.get(LOG)
    assert answer.startswith("HTTP/1.1 200 OK\r\n")
    assert "content-type: text/plain; charset=utf-8\r\n" in answer.lower()
    assert "transfer-encoding: chunked\r\n" in answer.lower()
    assert answer.endswith("\r\n\r\n8\r\none\ntwo\n\r\n0\r\n\r\n")


async def test_a_client_of_http_1_0_gets_the_log_unchunked(node: Node) -> None:
    answer = await node.ask(f"GET {LOG} HTTP/1.0\r\n\r\n")
    assert answer.endswith("\r\n\r\none\ntwo\n")


async def test_the_node_says_that_it_is_well(node: Node) -> None:
    answer = await node.get("/healthz")
    assert answer.startswith("HTTP/1.1 200 ")
    assert answer.endswith("\r\n\r\nok\n")


@pytest.mark.parametrize(
    ("method", "target", "status", "text"),
    [
        pytest.param("GET", "/containerLogs/shop/web-9/main", 404, 'pod "web-9" does not', id="no pod"),
        pytest.param("GET", "/containerLogs/shop/web-1/side", 404, 'container "side"', id="no container"),
        pytest.param("GET", f"{LOG}?tailLines=many", 400, "tailLines", id="undecodable option"),
        pytest.param("GET", f"{LOG}?tailLines=-1", 422, "tailLines", id="invalid option"),
        pytest.param("GET", f"{LOG}?previous=true", 400, "previous", id="no previous run"),
        pytest.param("GET", "/stats/container", 404, "not found", id="unknown path"),
        pytest.param("POST", LOG, 405, "Method Not Allowed", id="wrong method"),
    ],
)
async def test_bad_requests_are_answered_with_their_reason(
    node: Node, method: str, target: str, status: int, text: str
) -> None:
    answer = await node.get(target, method=method)
    assert status_of(answer) == status
    assert text in answer


async def test_head_is_answered_without_a_body(node: Node) -> None:
    answer = await node.get(LOG, method="HEAD")
    assert status_of(answer) == 405
    assert answer.endswith("\r\n\r\n")


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        pytest.param("nonsense\r\n\r\n", 400, id="no HTTP"),
        pytest.param("GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(
            "GET /healthz HTTP/1.1\r\nHost: n\r\nX: " + "y" * 19000 + "\r\n\r\n", 431, id="too long"
        ),
        pytest.param("GET / HTTP/1.1\r\nHost: n\r\nContent-Length: x\r\n\r\n", 400, id="bad length"),
        pytest.param(
            "POST / HTTP/1.1\r\nHost: n\r\nContent-Length: 999999\r\n\r\n" + "z" * 100_000,
            413,
            id="endless body",
        ),
    ],
)
async def test_malformed_requests_are_refused_and_the_server_serves_on(
    node: Node, request_text: str, status: int
) -> None:
    answer = await node.ask(request_text)
    assert status_of(answer) == status
    assert status_of(await node.get("/healthz")) == 200


LONG_COMMAND = (
    "POST /exec/shop/web-1/main?output=1&command={} HTTP/1.1\r\nHost: n\r\nConnection: close\r\n\r\n"
)


async def test_a_command_that_is_long_reaches_its_resource(node: Node) -> None:
    answer = await node.ask(LONG_COMMAND.format("x" * 7900))
    assert (status_of(answer), "cannot be entered" in answer) == (404, True)


async def test_a_command_that_is_too_long_is_told_with_the_mend(node: Node) -> None:
    answer = await node.ask(LONG_COMMAND.format("x" * 900_000))
    assert status_of(answer) == 431
    status = json.loads(answer.partition("\r\n\r\n")[2])
    assert status["kind"] == "Status"
    assert "longer than 8192 bytes" in status["message"]
    assert "kubectl exec -i POD -- sh < SCRIPT" in status["message"]


async def test_a_client_without_a_certificate_gets_no_room_for_a_long_command(node: Node) -> None:
    answer = await node.ask_as(node.trusting(), "/exec/shop/web-1/main?command=" + "x" * 9000)
    assert status_of(answer) == 431


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(noise=st.binary(min_size=1, max_size=300))
async def test_noise_inside_tls_never_ends_the_server(node: Node, noise: bytes) -> None:
    async with node.connected() as (reader, writer):
        writer.write(noise + b"\r\n\r\n")
        first = await reader.read(12)
    assert first in {b"", b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 405", b"HTTP/1.1 501", b"HTTP/1.1 505"}
    await eventually_quiet(node)
    assert status_of(await node.get("/healthz")) == 200


SPDY = "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n"
WEBSOCKET = (
    "Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: {}\r\n"
)
UPGRADES = [
    pytest.param("POST", SPDY, id="SPDY"),
    pytest.param("GET", WEBSOCKET.format("SPDY/3.1+portforward.k8s.io"), id="tunnel"),
    pytest.param("GET", WEBSOCKET.format("v4.channel.k8s.io"), id="channels"),
]
FRAME_HEADS = [
    b"\x80\x03\x00\x01\x00",
    b"\x80\x03\x00\x06\x00\x00\x00\x04",
    b"\x00\x00\x00\x01\x00",
    b"\x82\x7e",
    b"\x88\xff",
]
"""Beginnings of frames: SYN_STREAM, PING and data of SPDY, a message and a close of WebSocket."""


@pytest.mark.parametrize(("method", "headers"), UPGRADES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(head=st.sampled_from(FRAME_HEADS), noise=st.binary(max_size=600))
async def test_noise_on_an_upgraded_connection_never_ends_the_server(
    node: Node, method: str, headers: str, head: bytes, noise: bytes
) -> None:
    node.addresses[:] = ["127.0.0.1"]
    target = "/portForward/shop/web-1?port=9"
    async with node.connected() as (reader, writer):
        writer.write(
            f"{method} {target} HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\n{headers}\r\n".encode()
        )
        assert await reader.read(12) == b"HTTP/1.1 101"
        writer.write(head + noise)
        await writer.drain()
    await eventually_quiet(node)
    assert status_of(await node.get("/healthz")) == 200


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: n\r\n\r\n", id="plain HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00" + b"\xff" * 300, id="broken hello"),
        pytest.param(b"\x00" * 64, id="zeros"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_what_is_not_tls_never_ends_the_server(node: Node, noise: bytes) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", node.server.port)
    writer.write(noise)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert status_of(await node.get("/healthz")) == 200


async def test_requests_follow_each_other_on_one_connection(node: Node) -> None:
    async with node.connected() as (reader, writer):
        writer.write(GET_HEALTH.encode())
        assert "200" in await until(reader, "ok\n")
        writer.write(GET_LOG.encode())
        assert "one\ntwo\n" in await until(reader, "0\r\n\r\n")


async def test_pipelined_requests_are_answered_in_order(node: Node) -> None:
    answers = await node.ask(
        GET_LOG + GET_HEALTH + GET_LOG.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    )
    assert [answers.count(text) for text in ("HTTP/1.1 200", "one\ntwo\n", "ok\n")] == [3, 2, 1]
    assert answers.index("one") < answers.index("ok\n") < answers.rindex("one")


async def test_an_idle_connection_is_closed(node: Node) -> None:
    async with node.connected() as (reader, _):
        assert await rest(reader) == ""


async def test_a_follower_is_answered_at_once_and_line_by_line(node: Node) -> None:
    node.streams.lines.clear()
    async with node.connected() as (reader, writer):
        writer.write(FOLLOW.encode())
        assert "200" in await until(reader, "\r\n\r\n")
        node.streams.write("pod/main/1", "first")
        await node.clock.advance(2)
        await until(reader, "first\n\r\n")
        node.streams.write("pod/main/1", "second")
        await node.clock.advance(2)
        await until(reader, "second\n\r\n")
        node.directory.put(finished=True)
        ending = asyncio.create_task(until(reader, "0\r\n\r\n"))
        while not ending.done():
            await node.clock.advance(1)
            await asyncio.sleep(0.001)


async def test_a_client_that_goes_away_stops_the_work_at_once(node: Node) -> None:
    async with node.connected() as (reader, writer):
        writer.write(FOLLOW.encode())
        await until(reader, "two\n")
        await node.clock.advance(3)
    await eventually_quiet(node)
    node.streams.calls.clear()
    await node.clock.advance(30)
    assert node.streams.calls == []


async def test_a_slow_reader_holds_back_the_reading_of_its_log(node: Node) -> None:
    node.streams.page_lines = 100
    node.streams.lines.clear()
    node.streams.write("pod/main/1", *("x" * 10_000 for _ in range(5000)))
    async with node.connected() as (reader, writer):
        writer.write(GET_LOG.encode())
        await until(reader, "x\n")
        await comes_to_a_stand(lambda: len(node.streams.calls))
        assert len(node.streams.calls) < 50


async def test_a_log_that_breaks_off_has_no_proper_end(node: Node) -> None:
    node.streams.page_lines = 1
    async with node.connected() as (reader, writer):
        writer.write(FOLLOW.encode())
        await until(reader, "two\n")
        node.streams.failures.append(Refused("denied"))
        await node.clock.advance(2)
        assert "0\r\n\r\n" not in await rest(reader)


EVERY_ENDPOINT = [
    pytest.param(LOG, id="containerLogs"),
    pytest.param("/exec/shop/web-1/main?command=sh&output=1", id="exec"),
    pytest.param("/attach/shop/web-1/main?output=1", id="attach"),
    pytest.param("/portForward/shop/web-1", id="portForward"),
    pytest.param("/pods", id="pods"),
    pytest.param("/runningpods/", id="runningpods"),
    pytest.param("/healthz", id="healthz"),
    pytest.param("/stats/summary", id="stats"),
    pytest.param("/metrics/resource", id="metrics"),
    pytest.param("/metrics/resource", id="metrics"),
    pytest.param("/configz", id="configz"),
    pytest.param("/logs/", id="logs"),
    pytest.param("/nothing/here", id="what-is-not-there"),
    pytest.param("/%FF", id="what-is-no-path"),
]

NOT_LET_IN = (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)


@pytest.mark.parametrize("target", EVERY_ENDPOINT)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_without_a_certificate_or_a_token_every_endpoint_is_unauthorized(
    node: Node, method: str, target: str
) -> None:
    answer = await node.ask_as(node.trusting(), target, method=method)
    assert status_of(answer) == 401
    assert answer.endswith("\r\n\r\nUnauthorized\n")


@pytest.mark.parametrize("target", EVERY_ENDPOINT)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_with_a_token_that_is_nobodys_every_endpoint_is_unauthorized(
    node: Node, method: str, target: str
) -> None:
    answer = await node.ask_as(node.trusting(), target, method=method, token="guess")
    assert status_of(answer) == 401


@pytest.mark.parametrize("target", EVERY_ENDPOINT)
@pytest.mark.parametrize(("method", "verb"), [("GET", "get"), ("POST", "create")])
async def test_with_a_token_that_lacks_the_right_every_endpoint_is_forbidden(
    node: Node, method: str, verb: str, target: str
) -> None:
    node.reviews.tokens["tok"] = Caller(name="alice")
    answer = await node.ask_as(node.trusting(), target, method=method, token="tok")
    assert status_of(answer) == 403
    assert f"Forbidden (user=alice, verb={verb}, resource=nodes, subresource(s)=[" in answer


@pytest.mark.parametrize("target", EVERY_ENDPOINT)
async def test_with_a_certificate_that_lacks_the_right_every_endpoint_is_forbidden(
    node: Node, target: str
) -> None:
    answer = await node.get(target, common_name="alice")
    assert status_of(answer) == 403
    assert "user=alice" in answer


@pytest.mark.parametrize("target", EVERY_ENDPOINT)
async def test_while_nobody_can_say_every_endpoint_is_an_error(node: Node, target: str) -> None:
    node.reviews.failure = Unavailable("no answer")
    answer = await node.get(target)
    assert status_of(answer) == 500
    assert "Authorization error (user=kube-apiserver" in answer


async def test_a_token_with_the_right_is_let_in(node: Node) -> None:
    node.reviews.tokens["tok"] = Caller(name="metrics-server")
    node.reviews.let("metrics-server", "get", "healthz")
    answer = await node.ask_as(node.trusting(), "/healthz", token="tok")
    assert status_of(answer) == 200


async def test_a_certificate_of_another_authority_is_not_let_in(node: Node) -> None:
    stranger = trustme.CA().issue_cert(common_name="kube-apiserver")
    with pytest.raises(NOT_LET_IN):
        await node.health(node.trusting(stranger))


async def test_a_certificate_that_is_known_is_let_in(node: Node) -> None:
    known = node.authority.issue_cert(common_name="kube-apiserver")
    assert "200" in await node.health(node.trusting(known))


async def test_a_certificate_whose_authority_was_taken_away_is_let_in_no_longer(node: Node) -> None:
    context = node.trusting(node.authority.issue_cert(common_name="kube-apiserver"))
    assert "200" in await node.health(context)
    node.tls.trust(trustme.CA().cert_pem.bytes().decode())
    with pytest.raises(NOT_LET_IN):
        await node.health(context)


async def test_tls_1_1_is_not_spoken(node: Node) -> None:
    context = node.trusting()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.deprecated_call():
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(NOT_LET_IN):
        await node.health(context)


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [
        pytest.param("/exec/shop/web-1/main?command=sh&output=1", 404, "cannot be entered", id="exec"),
        pytest.param(
            "/exec/shop/web-1/u1/main?command=sh&output=1", 404, "cannot be entered", id="with a uid"
        ),
        pytest.param("/attach/shop/web-9/main?output=1", 404, "does not exist", id="attach"),
        pytest.param("/portForward/shop/web-1", 404, "has no address", id="portForward"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_each_stream_is_answered_by_its_own_part(
    node: Node, method: str, target: str, status: int, text: str
) -> None:
    answer = await node.get(target, method=method)
    assert status_of(answer) == status
    assert "content-type: application/json\r\n" in answer.lower()
    told = json.loads(answer.partition("\r\n\r\n")[2])
    assert (told["kind"], told["status"], told["code"], told["reason"]) == (
        "Status",
        "Failure",
        status,
        "NotFound",
    )
    assert text in told["message"]


async def test_the_nodes_pods_are_a_pod_list(node: Node) -> None:
    node.pods.append(a_pod(name="web-1"))
    answer = await node.get("/pods")
    assert "content-type: application/json\r\n" in answer.lower()
    listed = json.loads(answer.partition("\r\n\r\n")[2])
    assert (listed["kind"], listed["apiVersion"]) == ("PodList", "v1")
    assert [each["metadata"]["name"] for each in listed["items"]] == ["web-1"]


async def test_of_the_running_pods_there_are_none_before_one_runs(node: Node) -> None:
    node.pods.append(a_pod(name="web-1"))
    answer = await node.get("/runningpods/")
    assert json.loads(answer.partition("\r\n\r\n")[2])["items"] == []


async def test_too_many_connections_are_closed_and_the_others_served(node: Node) -> None:
    async with node.connected() as (reader, writer), node.connected(), node.connected():
        await settle()
        with pytest.raises(NOT_LET_IN):
            async with node.connected() as (late, _):
                await late.readexactly(1)
        writer.write(GET_HEALTH.encode())
        await until(reader, "ok\n")


async def test_clients_without_a_certificate_leave_room_for_those_that_have_one(node: Node) -> None:
    nobody = node.trusting()
    port = node.server.port
    held = [await asyncio.open_connection("127.0.0.1", port, ssl=nobody) for _ in range(2)]
    await settle()
    with pytest.raises(NOT_LET_IN):
        await node.health(nobody)
    assert status_of(await node.get("/healthz")) == 200
    for _, writer in held:
        writer.transport.abort()


async def test_a_client_that_shows_nothing_must_ask_soon(node: Node) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.server.port, ssl=node.trusting())
    assert await rest(reader) == ""
    writer.close()


async def test_a_client_that_was_not_let_in_gets_no_more_time_than_before(node: Node) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.server.port, ssl=node.trusting())
    writer.write(GET_HEALTH.encode())
    answer = await rest(reader)
    assert (status_of(answer), answer.count("HTTP/1.1")) == (401, 1)
    writer.close()


async def test_stopping_ends_followers_and_frees_the_port(node: Node) -> None:
    async with node.connected() as (reader, writer):
        writer.write(FOLLOW.encode())
        await until(reader, "two\n")
        port = node.server.port
        await node.server.close()
        assert "0\r\n\r\n" not in await rest(reader)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


def test_there_is_no_port_before_the_start() -> None:
    with pytest.raises(RuntimeError, match="started"):
        _ = a_server().port


async def test_requests_are_counted_by_route_and_status_and_unknown_paths_under_one_name(node: Node) -> None:
    await node.get(LOG)
    await node.get("/stats/container")
    await node.get("/nothing/here")
    await node.get("/healthz", common_name="alice")
    name = "spillway_kubelet_requests_total"
    assert node.registry.get_sample_value(name, {"route": "containerLogs", "status": "200"}) == 1
    assert node.registry.get_sample_value(name, {"route": "none", "status": "404"}) == 2
    assert node.registry.get_sample_value(name, {"route": "healthz", "status": "403"}) == 1


class LostTransport(asyncio.WriteTransport):
    """A TLS transport as early CPython 3.11 leaves it when its connection is lost."""

    def abort(self) -> None:
        raise AttributeError("'NoneType' object has no attribute '_abort'")


def test_a_connection_that_is_lost_already_is_cut_off_without_a_word() -> None:
    cut_off(LostTransport())
