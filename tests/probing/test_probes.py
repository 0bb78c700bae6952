import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.local.leaves import write_leaf
from app.local.loopback import free_ports
from app.probing.probes import NetworkProbes
from app.tls.authority import Authority
from tests.probing.fakes import GrpcServer, HttpServer, listening, status

HOST = "127.0.0.1"
NONE: dict[str, str] = {}


@pytest.fixture
async def probes() -> AsyncIterator[NetworkProbes]:
    probes = NetworkProbes()
    yield probes
    await probes.close()


@pytest.mark.parametrize(
    ("code", "ok"),
    [
        pytest.param(200, True, id="200"),
        pytest.param(204, True, id="204"),
        pytest.param(304, True, id="304"),
        pytest.param(399, True, id="399"),
        pytest.param(400, False, id="400"),
        pytest.param(503, False, id="503"),
    ],
)
async def test_a_status_below_400_is_well(probes: NetworkProbes, code: int, ok: bool) -> None:
    server = HttpServer()
    server.answers["/live"] = status(code)
    async with listening(server.serve) as port:
        answer = await probes.http(f"http://{HOST}:{port}/live", headers=NONE, within=30)
    assert answer.ok is ok
    assert answer.output == ("" if ok else f"HTTP probe failed with statuscode: {code}")


async def test_the_headers_are_those_that_were_given(probes: NetworkProbes) -> None:
    server = HttpServer()
    server.answers["/"] = status(200)
    headers = {"User-Agent": "kube-probe/1.36", "Accept": "*/*", "X-Shop": "a"}
    async with listening(server.serve) as port:
        await probes.http(f"http://{HOST}:{port}/", headers=headers, within=30)
    assert {"User-Agent: kube-probe/1.36", "Accept: */*", "X-Shop: a"} <= set(server.heads[0].split("\r\n"))


async def test_a_redirect_on_the_same_host_is_followed(probes: NetworkProbes) -> None:
    server = HttpServer()
    server.answers |= {"/": status(302, "Location: /login"), "/login": status(500)}
    async with listening(server.serve) as port:
        answer = await probes.http(f"http://{HOST}:{port}/", headers=NONE, within=30)
    assert answer.output == "HTTP probe failed with statuscode: 500"


async def test_a_redirect_to_another_host_is_well(probes: NetworkProbes) -> None:
    server = HttpServer()
    server.answers["/"] = status(302, "Location: http://elsewhere.invalid/")
    async with listening(server.serve) as port:
        answer = await probes.http(f"http://{HOST}:{port}/", headers=NONE, within=30)
    assert answer.ok


async def test_redirects_in_a_circle_end(probes: NetworkProbes) -> None:
    server = HttpServer()
    server.answers["/"] = status(302, "Location: /")
    async with listening(server.serve) as port:
        answer = await probes.http(f"http://{HOST}:{port}/", headers=NONE, within=30)
    assert answer.output.endswith("stopped after 10 redirects")


async def test_a_certificate_that_nobody_trusts_is_well(probes: NetworkProbes, tmp_path: Path) -> None:
    now = datetime.now(UTC)  # noqa: TID251  (a certificate is valid by the real clock)
    leaf = Authority.create("self", now=now).issue("pod", now=now, ips=(HOST,), server=True)
    write_leaf(tmp_path, "pod", leaf)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pod.crt", tmp_path / "pod.key")
    server = HttpServer()
    server.answers["/"] = status(200)
    listener = await asyncio.start_server(server.serve, HOST, 0, ssl=context)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        answer = await probes.http(f"https://{HOST}:{port}/", headers=NONE, within=30)
    assert answer.ok


async def test_a_closed_port_is_told_as_a_kubelet_tells_it(probes: NetworkProbes) -> None:
    [port] = free_ports(1)
    http = await probes.http(f"http://{HOST}:{port}/", headers=NONE, within=30)
    tcp = await probes.tcp(HOST, port, within=30)
    grpc = await probes.grpc(HOST, port, service="", within=30)
    refused = f"dial tcp {HOST}:{port}: connect: connection refused"
    assert http.output == f'Get "http://{HOST}:{port}/": {refused}'
    assert tcp.output == refused
    assert "connection refused" in grpc.output
    assert [http.ok, tcp.ok, grpc.ok] == [False, False, False]


async def test_what_says_nothing_is_late(probes: NetworkProbes) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with listening(silent) as port:
        http = await probes.http(f"http://{HOST}:{port}/", headers=NONE, within=0.05)
        grpc = await probes.grpc(HOST, port, service="", within=0.05)
        tcp = await probes.tcp(HOST, port, within=30)
    assert "context deadline exceeded" in http.output
    assert "context deadline exceeded" in grpc.output
    assert tcp.ok


async def test_nonsense_is_no_http_and_no_grpc(probes: NetworkProbes) -> None:
    async def mumbling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01\x02 what?\r\n\r\n" * 10)
        await writer.drain()
        writer.close()

    async with listening(mumbling) as port:
        http = await probes.http(f"http://{HOST}:{port}/", headers=NONE, within=30)
        grpc = await probes.grpc(HOST, port, service="", within=30)
    assert (http.ok, grpc.ok) == (False, False)


@pytest.mark.parametrize(
    ("message", "grpc_status", "output"),
    [
        pytest.param(b"\x08\x01", "0", "", id="serving"),
        pytest.param(b"\x08\x02", "0", 'service unhealthy (responded with "NOT_SERVING")', id="not-serving"),
        pytest.param(b"", "0", 'service unhealthy (responded with "UNKNOWN")', id="empty"),
        pytest.param(
            b"",
            "12",
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)",
            id="unimplemented",
        ),
        pytest.param(b"", "5", "error: health rpc failed: HTTP status 200, grpc-status 5", id="not-found"),
    ],
)
async def test_a_grpc_server_tells_its_health(
    probes: NetworkProbes, message: bytes, grpc_status: str, output: str
) -> None:
    server = GrpcServer(message=message, grpc_status=grpc_status)
    async with listening(server.serve) as port:
        answer = await probes.grpc(HOST, port, service="shop", within=30)
    assert (answer.ok, answer.output) == (not output, output)
    assert server.paths == ["/grpc.health.v1.Health/Check"]
    assert server.asked == [b"\x00\x00\x00\x00\x06\x0a\x04shop"]


async def test_a_long_service_name_is_written_whole(probes: NetworkProbes) -> None:
    server = GrpcServer()
    name = "s" * 300
    async with listening(server.serve) as port:
        await probes.grpc(HOST, port, service=name, within=30)
    assert server.asked[0][5:] == b"\x0a\xac\x02" + name.encode()
