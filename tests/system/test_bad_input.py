"""Bad input gets a clear 4xx over the real sockets, and the process serves on."""

import asyncio
import json
import ssl

import httpx
import pytest

from app.local.loopback import LOOPBACK
from tests.system.actors import Actors, running

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


def trusting(actors: Actors) -> ssl.SSLContext:
    """Trust in the stack's own authority."""
    return ssl.create_default_context(cafile=str(actors.stack.options.directory / "ca.crt"))


def as_the_api_server(actors: Actors) -> ssl.SSLContext:
    """The same, with the client certificate that the API server shows to kubelets."""
    context = trusting(actors)
    leaf = actors.stack.kubelet_client()
    path = actors.stack.options.directory / "as-the-api-server.pem"
    path.write_bytes(leaf.cert_pem + leaf.key_pem)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="half a document"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'{"kind": "Pod"}', id="another kind"),
        pytest.param(b"\xff\xfe\x00", id="not text"),
        pytest.param(
            json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}).encode(),
            id="no request",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/mutate/enabled", "/mutate/permitted"])
async def test_the_webhook_answers_400_and_serves_on(actors: Actors, path: str, body: bytes) -> None:
    url = actors.stack.places.webhook_url
    async with httpx.AsyncClient(base_url=url, verify=trusting(actors)) as client:
        answer = await client.post(path, content=body)
        assert answer.status_code == 400
        assert answer.json()["error"]
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="half a document"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="nothing in it"),
        pytest.param(b'{"Pod": {"metadata": {}}}', id="neither nodes nor names"),
        pytest.param(b'{"Pod": [], "NodeNames": ["a"]}', id="a pod that is a list"),
    ],
)
@pytest.mark.parametrize("verb", ["/filter", "/prioritize", "/preempt"])
async def test_the_extender_answers_400_and_serves_on(actors: Actors, verb: str, body: bytes) -> None:
    url = actors.stack.places.extender_url
    async with httpx.AsyncClient(base_url=url, verify=trusting(actors)) as client:
        answer = await client.post(verb, content=body)
        assert answer.status_code == 400
        assert answer.json()["error"]
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/containerLogs/a/b/c", 404, id="unknown pod"),
        pytest.param("/containerLogs/a/b", 404, id="too short a path"),
        pytest.param("/nothing", 404, id="unknown path"),
        pytest.param("/containerLogs/a/b/c?tailLines=x", 400, id="a tail that is no number"),
        pytest.param("/containerLogs/a/b/c?tailLines=-1", 422, id="a negative tail"),
    ],
)
async def test_the_kubelet_api_says_what_is_wrong(actors: Actors, path: str, status: int) -> None:
    url = f"https://{LOOPBACK}:{actors.stack.places.kubelet_port}"
    async with httpx.AsyncClient(base_url=url, verify=as_the_api_server(actors)) as client:
        answer = await client.get(path)
        assert answer.status_code == status, answer.text
        assert answer.text
        assert (await client.get("/healthz")).status_code == 200


async def test_nobody_reads_logs_without_the_api_servers_certificate(actors: Actors) -> None:
    url = f"https://{LOOPBACK}:{actors.stack.places.kubelet_port}"
    async with httpx.AsyncClient(base_url=url, verify=trusting(actors)) as client:
        answer = await client.get("/containerLogs/a/b/c")
        assert (answer.status_code, answer.text) == (401, "Unauthorized\n")


async def test_garbage_on_every_port_stops_nobody(actors: Actors) -> None:
    places = actors.stack.places
    for port in (places.webhook_port, places.extender_port, places.kubelet_port):
        _, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(b"\x00\x01garbage\r\n\r\n" * 50)
        await asyncio.wait_for(writer.drain(), 60)
        writer.close()
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=9)
    await actors.until(space, "9 running pods", lambda pods: len(running(pods)) == 9)
