"""The embedded cluster over HTTPS: its life, its tokens, its watches and what it says about protobuf."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest

from app.local.cluster.cluster import ClusterConfig, EmbeddedCluster
from app.local.controlplane import ControlPlaneError
from app.tls.authority import Authority
from tests.fakes import VirtualClock
from tests.local.cluster.apiserver.fakes import config_map


@pytest.fixture
def clock() -> VirtualClock:
    """Begins now: TLS compares certificates with the machine's own time."""
    return VirtualClock(datetime.now(tz=UTC))  # noqa: TID251  (see above)


@pytest.fixture
async def http(cluster: EmbeddedCluster) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the kubeconfig."""
    config = cluster.kubeconfig()
    authority = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    token = config["users"][0]["user"]["token"]
    trust = ssl.create_default_context(cadata=authority)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=cluster.url, verify=trust, headers=headers, trust_env=False
    ) as client:
        yield client


async def test_the_kubeconfig_leads_in(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/v1/namespaces")

    assert [each["metadata"]["name"] for each in answer.json()["items"]] == [
        "default",
        "kube-node-lease",
        "kube-public",
        "kube-system",
    ]


async def test_protobuf_is_refused_with_the_way_out(http: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/vnd.kubernetes.protobuf"}

    answer = await http.post("/api/v1/namespaces", content=b"k8s\0", headers=headers)

    assert answer.status_code == 415
    assert "use `kubectl apply`" in answer.json()["message"]


async def test_both_forms_of_discovery_name_the_same_resources(http: httpx.AsyncClient) -> None:
    plain = (await http.get("/apis/apps/v1")).json()["resources"]
    headers = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    groups = (await http.get("/apis", headers=headers)).json()["items"]
    apps = next(each for each in groups if each["metadata"]["name"] == "apps")

    whole = [each["name"] for each in plain if "/" not in each["name"]]
    assert [each["resource"] for each in apps["versions"][0]["resources"]] == whole


async def lines(http: httpx.AsyncClient, path: str) -> list[dict[str, object]]:
    async with http.stream("GET", path) as response:
        assert response.status_code == 200
        return [json.loads(line) async for line in response.aiter_lines()]


async def test_a_version_that_is_gone_is_an_error_event(clock: VirtualClock, authority: Authority) -> None:
    """As the real server does it: 200, then an ERROR with code 410."""
    cluster = EmbeddedCluster(
        ClusterConfig(token="t", keep=1), clock=clock, ids=lambda: "uid", authority=authority
    )
    await cluster.start()
    headers = {"Authorization": "Bearer t"}
    trust = ssl.create_default_context(cadata=authority.cert_pem.decode())
    async with httpx.AsyncClient(base_url=cluster.url, verify=trust, headers=headers) as http:
        events = await lines(http, "/api/v1/configmaps?watch=1&resourceVersion=1")
    await cluster.stop()

    assert [(each["type"], each["object"]["code"], each["object"]["reason"]) for each in events] == [  # type: ignore[index]  # JSON
        ("ERROR", 410, "Expired")
    ]


async def test_a_watch_that_asked_for_it_gets_bookmarks_and_ends_with_one(
    cluster: EmbeddedCluster, clock: VirtualClock, http: httpx.AsyncClient
) -> None:
    version = cluster.api.store.version
    query = f"watch=1&resourceVersion={version}&timeoutSeconds=60&allowWatchBookmarks=true"

    async with http.stream("GET", f"/api/v1/pods?{query}") as response:
        watching = response.aiter_lines()
        await clock.advance(30)
        events = [json.loads(await anext(watching))]
        await clock.advance(30)
        events += [json.loads(line) async for line in watching]

    assert [each["type"] for each in events] == ["BOOKMARK", "BOOKMARK"]
    assert events[1]["object"]["metadata"]["resourceVersion"] == str(version)


async def test_a_stopping_cluster_ends_its_watches(cluster: EmbeddedCluster, http: httpx.AsyncClient) -> None:
    async with http.stream("GET", "/api/v1/pods?watch=1") as response:
        stopping = asyncio.create_task(cluster.stop())

        assert [line async for line in response.aiter_lines()] == []
    await http.aclose()
    await stopping


async def test_a_stopped_cluster_can_still_be_read_inside(cluster: EmbeddedCluster) -> None:
    await cluster.stop()

    assert len(cluster.api.list("namespaces")) == 4


async def test_a_port_that_is_taken_is_an_error(
    cluster: EmbeddedCluster, clock: VirtualClock, authority: Authority
) -> None:
    port = int(cluster.url.rpartition(":")[2])
    second = EmbeddedCluster(ClusterConfig(port=port), clock=clock, ids=lambda: "uid", authority=authority)

    with pytest.raises(OSError, match="in use"):
        await second.start()
    await second.stop()


async def test_writers_at_once_lose_nothing(cluster: EmbeddedCluster, http: httpx.AsyncClient) -> None:
    await cluster.api.create("configmaps", "default", config_map())
    path = "/api/v1/namespaces/default/configmaps/cm"
    headers = {"Content-Type": "application/merge-patch+json"}
    patches = [json.dumps({"data": {f"k{at}": "v"}}) for at in range(20)]

    answers = await asyncio.gather(*(http.patch(path, content=each, headers=headers) for each in patches))

    assert {each.status_code for each in answers} == {200}
    assert len(cluster.api.get("configmaps", "default", "cm")["data"]) == 20


async def test_a_cluster_whose_server_died_says_so(cluster: EmbeddedCluster) -> None:
    cluster.check()
    assert cluster._serving is not None
    cluster._serving.cancel()
    await asyncio.wait((cluster._serving,))

    with pytest.raises(ControlPlaneError, match="the embedded API server ended by itself"):
        cluster.check()


async def test_a_stopped_cluster_has_nothing_to_say(cluster: EmbeddedCluster) -> None:
    await cluster.stop()

    cluster.check()
