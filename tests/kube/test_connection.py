import asyncio
import base64
import json
import ssl
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from app.kube.connection import Connection, connect
from app.kube.transport import APPLY_PATCH, MERGE_PATCH
from app.ports.failures import NotFound, PortFailure, Unavailable
from app.tls.authority import Authority
from tests.fakes import VirtualClock
from tests.kube.conftest import a_kubeconfig
from tests.kube.server import (
    HANG,
    LAST_CHUNK,
    STREAM_HEAD,
    WireServer,
    chunk,
    response,
    wire_server,
)

TODAY = datetime.now(UTC)  # noqa: TID251  (TLS libraries check certificates by the machine's clock)


async def lines_of(connection: Connection) -> list[bytes]:
    async with aclosing(connection.stream("/api/v1/pods", query={"watch": True})) as lines:
        return [line async for line in lines]


async def test_a_request_carries_credentials_and_says_who_asks(
    server: WireServer, connection: Connection
) -> None:
    server.answer(response(200, b"{}"))
    assert await connection.request("GET", "/api/v1/nodes") == b"{}"
    headers = server.seen[0].headers
    assert headers["authorization"] == "Bearer secret"
    assert headers["user-agent"] == "spillway/1 (test)"
    assert headers["accept"] == "application/json"


async def test_the_time_of_each_answer_is_told(server: WireServer, connection: Connection) -> None:
    heard: list[str] = []
    connection.tell_time(heard.append)
    dated = response(200, b"{}").replace(b"\r\n", b"\r\nDate: Thu, 01 Jan 2026 12:00:00 GMT\r\n", 1)
    for each in (dated, response(200, b"{}")):
        server.answer(each)
        await connection.request("GET", "/x")
    assert heard == ["Thu, 01 Jan 2026 12:00:00 GMT", ""]


async def test_a_query_is_quoted(server: WireServer, connection: Connection) -> None:
    server.answer(response(200, b"{}"))
    await connection.request(
        "GET",
        "/x",
        query={"fieldSelector": "spec.nodeName=a,b=c d", "watch": True, "limit": 5, "continue": "a+b/c=="},
    )
    assert parse_qs(urlsplit(server.seen[0].target).query) == {
        "fieldSelector": ["spec.nodeName=a,b=c d"],
        "watch": ["true"],
        "limit": ["5"],
        "continue": ["a+b/c=="],
    }


@pytest.mark.parametrize(
    "kind", [pytest.param(MERGE_PATCH, id="merge"), pytest.param(APPLY_PATCH, id="apply")]
)
async def test_a_body_goes_as_json_under_its_own_type(
    server: WireServer, connection: Connection, kind: str
) -> None:
    server.answer(response(200, b"{}"))
    body = {"at": datetime(2026, 1, 1, tzinfo=UTC), "list": ("a", None), "text": "ü"}
    await connection.request("PATCH", "/x", body=body, content_type=kind)
    assert server.seen[0].headers["content-type"] == kind
    assert json.loads(server.seen[0].body) == {"at": "2026-01-01T00:00:00Z", "list": ["a", None], "text": "ü"}


async def test_a_delete_carries_its_preconditions(server: WireServer, connection: Connection) -> None:
    server.answer(response(200, b"{}"))
    await connection.request("DELETE", "/x", body={"preconditions": {"uid": "u"}})
    assert json.loads(server.seen[0].body) == {"preconditions": {"uid": "u"}}


async def test_a_failure_says_what_was_asked_and_what_the_server_said(
    server: WireServer, connection: Connection
) -> None:
    server.answer(response(404, b'{"message":"pods \\"x\\" not found"}'))
    with pytest.raises(NotFound, match='GET /api/v1/pods: 404 pods "x" not found'):
        await connection.request("GET", "/api/v1/pods")


BROKEN = [
    pytest.param((b"",), id="closed without a word"),
    pytest.param((b"not http\r\n\r\n",), id="not http"),
    pytest.param((response(200, b"{}", length=100),), id="body cut off"),
    pytest.param((HANG,), id="silence"),
    pytest.param((response(503, b"shutting down"),), id="503"),
    pytest.param((STREAM_HEAD, chunk(b"x"), b"zz\r\n"), id="broken chunk"),
]


@pytest.mark.parametrize("answer", BROKEN)
async def test_no_answer_is_unavailable_and_never_the_librarys_error(
    server: WireServer, connection: Connection, answer: tuple[bytes, ...]
) -> None:
    server.answer(*answer)
    with pytest.raises(Unavailable) as caught:
        await connection.request("POST", "/x", body={}, timeout=0.5)
    assert not isinstance(caught.value, aiohttp.ClientError | OSError)


def test_our_failures_are_not_the_librarys() -> None:
    assert not issubclass(PortFailure, aiohttp.ClientError | OSError | ValueError)


async def test_nobody_listening_is_unavailable(tmp_path: Path) -> None:
    async with wire_server() as gone:
        config = a_kubeconfig(tmp_path / "config", f"http://127.0.0.1:{gone.port}")
    connection = await connect(kubeconfig=config, clock=VirtualClock(), environ={})
    with pytest.raises(Unavailable, match=r"no answer from http://127\.0\.0\.1"):
        await connection.request("GET", "/version")
    await connection.close()


async def test_a_closed_connection_is_unavailable(server: WireServer, connection: Connection) -> None:
    server.answer(response(200, b"{}"))
    await connection.request("GET", "/x")
    await connection.close()
    with pytest.raises(Unavailable, match="closed"):
        await connection.request("GET", "/x")


async def test_lines_are_put_together_from_pieces(server: WireServer, connection: Connection) -> None:
    server.answer(STREAM_HEAD, chunk(b'{"a"'), chunk(b':1}\n{"b":2}\n{"c"'), chunk(b":3}\n"), LAST_CHUNK)
    assert await lines_of(connection) == [b'{"a":1}', b'{"b":2}', b'{"c":3}']
    assert server.seen[0].target == "/api/v1/pods?watch=true"


async def test_a_line_far_longer_than_a_buffer_is_one_line(
    server: WireServer, connection: Connection
) -> None:
    long = b"x" * 6_000_000
    server.answer(STREAM_HEAD, chunk(long), chunk(b"\n"), LAST_CHUNK)
    assert await lines_of(connection) == [long]


async def test_a_last_line_that_was_cut_off_is_dropped(server: WireServer, connection: Connection) -> None:
    server.answer(STREAM_HEAD, chunk(b'{"a":1}\n{"b"'), LAST_CHUNK)
    assert await lines_of(connection) == [b'{"a":1}']


async def test_a_stream_that_breaks_is_unavailable(server: WireServer, connection: Connection) -> None:
    server.answer(STREAM_HEAD, chunk(b'{"a":1}\n'))
    with pytest.raises(Unavailable):
        await lines_of(connection)


async def test_a_stream_that_is_refused_says_so(server: WireServer, connection: Connection) -> None:
    server.answer(response(404, b'{"message":"no such thing"}'))
    with pytest.raises(NotFound, match="no such thing"):
        await lines_of(connection)


async def test_a_stream_outlives_the_time_of_a_request(server: WireServer, connection: Connection) -> None:
    server.answer(STREAM_HEAD, chunk(b"a\n"), HANG)
    async with aclosing(connection.stream("/x")) as lines:
        assert await anext(lines) == b"a"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(lines), 0.1)


async def test_the_servers_version_and_the_clusters_uid_are_read(
    server: WireServer, connection: Connection
) -> None:
    server.answer(response(200, b'{"gitVersion":"v1.36.2"}'))
    server.answer(response(200, b'{"metadata":{"name":"kube-system","uid":"c-1"}}'))
    assert await connection.server_version() == "v1.36.2"
    assert await connection.cluster_uid() == "c-1"
    assert [each.target for each in server.seen] == ["/version", "/api/v1/namespaces/kube-system"]


async def test_a_proxy_of_the_environment_is_not_asked_for_loopback(
    server: WireServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.answer(response(200, b"{}"))
    assert await connection.request("GET", "/x") == b"{}"


def server_tls(authority: Authority, folder: Path) -> ssl.SSLContext:
    leaf = authority.issue("kube-apiserver", now=TODAY, ips=("127.0.0.1",), server=True)
    (folder / "server.pem").write_bytes(leaf.cert_pem + leaf.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def trusting(authority: Authority) -> dict[str, str]:
    return {"certificate-authority-data": base64.b64encode(authority.cert_pem).decode()}


async def test_the_kubeconfigs_authority_counts_and_the_environments_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, other = Authority.create("ours", now=TODAY), Authority.create("other", now=TODAY)
    (tmp_path / "other.pem").write_bytes(other.cert_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    async with wire_server(server_tls(ours, tmp_path)) as server:
        server.answer(response(200, b"{}"))
        url = f"https://127.0.0.1:{server.port}"
        config = a_kubeconfig(tmp_path / "config", url, cluster=trusting(ours))
        connection = await connect(kubeconfig=config, clock=VirtualClock(), environ={})
        assert await connection.request("GET", "/x") == b"{}"
        await connection.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_server_that_another_authority_signed_is_not_believed(tmp_path: Path) -> None:
    ours, other = Authority.create("ours", now=TODAY), Authority.create("other", now=TODAY)
    async with wire_server(server_tls(other, tmp_path)) as server:
        url = f"https://127.0.0.1:{server.port}"
        config = a_kubeconfig(tmp_path / "config", url, cluster=trusting(ours))
        connection = await connect(kubeconfig=config, clock=VirtualClock(), environ={})
        with pytest.raises(Unavailable, match="check certificate-authority"):
            await connection.request("GET", "/x")
        await connection.close()
        assert server.seen == []
