"""The node's API asks the cluster who calls and what they may, and has its certificate signed there."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.kube.authorities import Authorities
from app.kube.certificates import Certificates
from app.local.loopback import LOOPBACK
from app.tls.serving_context import ServingContext
from app.tls.signed import SignedCertificate, SignedConfig
from app.wiring.clock import SystemClock
from app.wiring.local.programs import NODE
from tests.system.actors import Actors
from tests.system.conftest import ON_REAL
from tests.system.test_bad_input import trusting

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

RBAC = "/apis/rbac.authorization.k8s.io/v1"
SIGNER = "kubernetes.io/kubelet-serving"


async def token_of(actors: Actors, space: str, account: str) -> str:
    """A new service account's token."""
    accounts = f"/api/v1/namespaces/{space}/serviceaccounts"
    body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account}}
    await actors.request("POST", accounts, body)
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    answer = await actors.request("POST", f"{accounts}/{account}/token", wanted)
    return str(answer["status"]["token"])


async def let(actors: Actors, space: str, account: str, resource: str) -> None:
    """Give the account `get` on a subresource of nodes."""
    name = f"{space}-{account}"
    rules = [{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}]
    head: dict[str, Any] = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
    await actors.request("POST", f"{RBAC}/clusterroles", {**head, "kind": "ClusterRole", "rules": rules})
    binding = {
        "kind": "ClusterRoleBinding",
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": space}],
    }
    await actors.request("POST", f"{RBAC}/clusterrolebindings", {**head, **binding})


async def answer_to(actors: Actors, target: str, token: str) -> httpx.Response:
    """The node's answer to somebody with this token."""
    url = f"https://{LOOPBACK}:{actors.stack.places.kubelet_port}"
    async with httpx.AsyncClient(base_url=url, verify=trusting(actors)) as client:
        return await client.get(target, headers={"Authorization": f"Bearer {token}"})


async def test_a_token_that_is_nobodys_is_unauthorized(actors: Actors) -> None:
    answer = await answer_to(actors, "/pods", "guess")
    assert (answer.status_code, answer.text) == (401, "Unauthorized\n")


@ON_REAL
async def test_an_account_without_the_right_is_forbidden(actors: Actors) -> None:
    space = await actors.namespace()
    answer = await answer_to(actors, "/stats/summary", await token_of(actors, space, "nobody"))
    assert answer.status_code == 403
    user = f"system:serviceaccount:{space}:nobody"
    assert answer.text == f"Forbidden (user={user}, verb=get, resource=nodes, subresource(s)=[stats])\n"


@ON_REAL
@pytest.mark.parametrize("resource", ["nodes/pods", "nodes/proxy"])
async def test_an_account_with_the_right_is_let_in_to_that_alone(actors: Actors, resource: str) -> None:
    space = await actors.namespace()
    await let(actors, space, "reader", resource)
    token = await token_of(actors, space, "reader")
    answer = await answer_to(actors, "/pods", token)
    assert answer.json()["kind"] == "PodList"
    assert (await answer_to(actors, "/metrics/resource", token)).status_code == 403


@ON_REAL
async def test_the_authorities_of_clients_are_published_by_the_api_server(actors: Actors) -> None:
    authority = actors.stack.options.directory / "ca.crt"
    assert (await Authorities(actors.stack.connection).pem()).strip() == authority.read_text().strip()


async def until_signed(context: ServingContext) -> bytes:
    """The certificate that is served, once there is one."""
    async with asyncio.timeout(60):
        while context.pair is None:
            await SystemClock().sleep(0.1)
    return context.pair.cert_pem


async def serving(context: ServingContext) -> AsyncIterator[int]:
    server = await asyncio.start_server(lambda _, writer: writer.close(), LOOPBACK, 0, ssl=context.listening)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_the_cluster_signs_a_serving_certificate_that_the_api_server_believes(actors: Actors) -> None:
    context = ServingContext()
    keeper = SignedCertificate(
        context,
        Certificates(actors.stack.connection),
        clock=SystemClock(),
        config=SignedConfig(node=NODE, ips=(LOOPBACK,), signer=SIGNER, approve=True),
        jitter=lambda: 0.5,
    )
    keeping = asyncio.create_task(keeper.run())
    assert b"BEGIN CERTIFICATE" in await until_signed(context)
    async for port in serving(context):
        _, writer = await asyncio.open_connection(LOOPBACK, port, ssl=trusting(actors))
        subject = writer.get_extra_info("peercert")["subject"]
        writer.transport.abort()
    keeping.cancel()
    assert (("commonName", f"system:node:{NODE}"),) in subject
