"""From a Secret in a cluster to a variable in a container, through the real adapters."""

import json
import os
import uuid
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from prometheus_client import CollectorRegistry

from app.aws.connection import Connection as AwsConnection
from app.aws.connection import ConnectionConfig
from app.aws.limiter import Limiter, Quotas
from app.aws.metrics import AwsMetrics
from app.aws.vault import SecretsManagerVault
from app.bridge.material.config import Suppliers
from app.bridge.material.gatherer import Gatherer
from app.bridge.translation.material import Material, Needs, TokenWish
from app.kube.connection import Connection, connect
from app.kube.sources import Sources
from app.local.cluster.cluster import ClusterConfig, EmbeddedCluster
from app.local.fargate.running.processes import host_has
from app.model.pod import Pod
from app.tls.authority import Authority
from tests.bridge.material.fakes import CONFIG, PREFIX, FakeImages, FakeRoles
from tests.builders import identity_of
from tests.conformance.servers import WallClock
from tests.fakes import FakeWatched, VirtualClock
from tests.local.fargate.clients import Far
from tests.local.fargate.enclosed import sh

SHOP = "/api/v1/namespaces/shop"
PASSWORD = "hunter2-planted"
API = TokenWish("", 3607)


@pytest.fixture
async def kube(tmp_path: Path) -> AsyncIterator[Connection]:
    """An embedded cluster with the namespace shop."""
    clock = WallClock()
    authority = Authority.create("material", now=clock.now())
    cluster = EmbeddedCluster(
        ClusterConfig(), clock=clock, ids=lambda: str(uuid.uuid4()), authority=authority
    )
    await cluster.start()
    file = tmp_path / "kubeconfig"
    file.write_text(json.dumps(cluster.kubeconfig()))
    connection = await connect(kubeconfig=str(file), clock=clock, environ={})
    await connection.request("POST", "/api/v1/namespaces", body={"metadata": {"name": "shop"}})
    yield connection
    await connection.close()
    await cluster.stop()


@pytest.fixture
async def far(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Far]:
    """An embedded Fargate, which our AWS adapters find by the environment."""
    far = Far(can_execute=host_has, throttles=False)
    await far.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", far.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    yield far
    await far.stop()


@pytest.fixture
async def gatherer(kube: Connection, far: Far) -> AsyncIterator[Gatherer]:
    clock = VirtualClock()
    aws = await AwsConnection.open(ConnectionConfig(region="us-east-1"))
    limiter = Limiter(Quotas(), clock=clock, metrics=AwsMetrics(CollectorRegistry()))
    sources = Sources(kube)
    suppliers = Suppliers(
        sources=sources,
        specs=sources,
        services=FakeWatched(),
        policies=FakeWatched(),
        vault=SecretsManagerVault(aws, limiter=limiter, prefix=PREFIX),
        images=FakeImages(),
        roles=FakeRoles(),
        clock=clock,
    )
    yield Gatherer(suppliers, config=CONFIG, random_bytes=os.urandom)
    aws.close()


async def created(kube: Connection, plural: str, name: str, **fields: Any) -> bytes:
    body = {"metadata": {"name": name}, **fields}
    return await kube.request("POST", f"{SHOP}/{plural}", body=body)


async def a_pod(kube: Connection) -> Pod:
    spec = {"containers": [{"name": "main", "image": "app:1"}]}
    return msgspec.json.decode(await created(kube, "pods", "web", spec=spec), type=Pod)


async def gathered(gatherer: Gatherer, pod: Pod, **needs: Any) -> Material:
    found = await gatherer.gather(pod, Needs(**needs), namespace={})
    assert isinstance(found, Material), found
    return found


async def test_a_container_reads_what_the_secret_holds(
    kube: Connection, far: Far, gatherer: Gatherer
) -> None:
    await created(kube, "secrets", "db", stringData={"user": "shop", "pass.word": PASSWORD})
    found = await gathered(gatherer, await a_pod(kube), secrets={"db": False})
    keys = found.secrets["db"].keys
    secrets = [
        {"name": name, "valueFrom": keys[key].value_from}
        for name, key in (("USER_NAME", "user"), ("PASSWORD", "pass.word"))
    ]

    task = await far.run(sh('echo "$USER_NAME|$PASSWORD"', secrets=secrets))
    await far.reaches(task, "STOPPED")

    assert await far.lines(task) == [f"shop|{PASSWORD}"]
    definitions = await far.ask("ecs", "describe_task_definition", taskDefinition="web")
    assert PASSWORD not in str(definitions)
    assert PASSWORD not in repr(found)


async def test_the_task_of_a_pod_can_open_its_token_and_the_api_server_knows_it(
    kube: Connection, far: Far, gatherer: Gatherer
) -> None:
    pod = await a_pod(kube)
    found = await gathered(gatherer, pod, tokens=frozenset({API}))
    task = await far.run(sh('echo "$KEY"', secrets=[{"name": "KEY", "valueFrom": found.seal_key}]))
    await far.reaches(task, "STOPPED")
    [key] = await far.lines(task)

    box = b64decode(found.tokens[API].sealed)
    identity = identity_of(pod).text().encode()
    token = ChaCha20Poly1305(bytes.fromhex(key)).decrypt(box[:12], box[12:], identity).decode()
    review = {"spec": {"token": token}}
    answer = await kube.request("POST", "/apis/authentication.k8s.io/v1/tokenreviews", body=review)

    assert json.loads(answer)["status"]["user"]["username"] == "system:serviceaccount:shop:default"
    assert token not in repr(found)
