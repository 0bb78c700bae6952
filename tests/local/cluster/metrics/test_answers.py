"""metrics.k8s.io, from what kubelets say."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.local.cluster.apiserver.access import Attributes
from app.local.cluster.apiserver.api import Api, ApiError
from app.local.cluster.metrics.answers import Metrics
from app.local.cluster.metrics.scraper import Scraper
from app.tls.authority import Authority
from tests.fakes import VirtualClock
from tests.local.cluster.metrics.kubelets import Measured, add_node, add_pod, measuring, said, trusting

PODS = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods"
NODES = "/apis/metrics.k8s.io/v1beta1/nodes"


@pytest.fixture
def clock() -> VirtualClock:
    """Begins now: TLS compares certificates with the machine's own time."""
    return VirtualClock(datetime.now(tz=UTC))  # noqa: TID251  (see above)


@pytest.fixture
def authority(clock: VirtualClock) -> Authority:
    return Authority.create("tests", now=clock.now())


@pytest.fixture
async def api(clock: VirtualClock) -> Api:
    numbers = itertools.count(1)
    made = Api(clock=clock, ids=lambda: f"uid-{next(numbers)}")
    await made.create("namespaces", "", {"metadata": {"name": "default"}})
    return made


@pytest.fixture
async def kubelet(
    api: Api, authority: Authority, clock: VirtualClock, tmp_path: Path
) -> AsyncIterator[Measured]:
    async with measuring(authority, clock, tmp_path) as made:
        await add_node(api, "virtual", made.port)
        yield made


@pytest.fixture
def scraper(api: Api, authority: Authority, clock: VirtualClock) -> Scraper:
    return Scraper(api, kubelets=trusting(authority), clock=clock)


async def twice(scraper: Scraper, kubelet: Measured) -> None:
    """Two rounds, a minute apart, in which a quarter of a core was used."""
    for seconds, cpu in ((0, 10.0), (60, 25.0)):
        kubelet.text = said(seconds, cpu=cpu)
        await scraper.scrape()


def ask(api: Api, scraper: Scraper, path: str, **query: str) -> Any:
    metrics = Metrics(api, scraper)
    wanted = metrics.wanted(path)
    assert wanted is not None
    return metrics.answer(wanted, **query)


async def test_a_pods_usage_is_between_two_measurements(
    api: Api, scraper: Scraper, kubelet: Measured
) -> None:
    await add_pod(api)
    await twice(scraper, kubelet)

    (pod,) = ask(api, scraper, PODS)["items"]

    assert pod["kind"] == "PodMetrics"
    assert pod["metadata"]["name"] == "web"
    assert pod["metadata"]["labels"] == {"app": "web"}
    assert pod["containers"] == [{"name": "main", "usage": {"cpu": "250000000n", "memory": "1000"}}]
    assert (pod["timestamp"], pod["window"]) == ("2023-11-14T22:14:20Z", "60.000s")


async def test_a_nodes_usage_is_its_own(api: Api, scraper: Scraper, kubelet: Measured) -> None:
    await twice(scraper, kubelet)

    node = ask(api, scraper, f"{NODES}/virtual")

    assert node["kind"] == "NodeMetrics"
    assert node["usage"] == {"cpu": "250000000n", "memory": "2048Ki"}


async def test_pods_that_do_not_run_have_no_usage(api: Api, scraper: Scraper, kubelet: Measured) -> None:
    await add_pod(api, phase="Succeeded")
    await twice(scraper, kubelet)

    assert ask(api, scraper, PODS)["items"] == []


async def test_pods_are_selected_by_their_labels(api: Api, scraper: Scraper, kubelet: Measured) -> None:
    await add_pod(api)
    await twice(scraper, kubelet)

    assert len(ask(api, scraper, PODS, labels="app=web")["items"]) == 1
    assert ask(api, scraper, PODS, labels="app=other")["items"] == []


async def test_what_is_not_measured_is_not_found(api: Api, scraper: Scraper, kubelet: Measured) -> None:
    await add_pod(api)

    with pytest.raises(ApiError, match=r'pods\.metrics\.k8s\.io "default/web" not found'):
        ask(api, scraper, f"{PODS}/web")


async def test_a_kubelet_that_refuses_has_no_usage(api: Api, scraper: Scraper, kubelet: Measured) -> None:
    await twice(scraper, kubelet)
    kubelet.status = "403 Forbidden"
    await scraper.scrape()

    assert ask(api, scraper, NODES)["items"] == []


async def test_nodes_without_a_kubelet_do_not_keep_the_others_waiting(
    api: Api, scraper: Scraper, kubelet: Measured
) -> None:
    await add_node(api, "played", 0)
    await add_node(api, "gone", 1)
    await twice(scraper, kubelet)

    names = [each["metadata"]["name"] for each in ask(api, scraper, NODES)["items"]]

    assert names == ["virtual"]


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        pytest.param("/api/v1/pods", None, id="another group"),
        pytest.param(NODES, Attributes(verb="list", resource="nodes", group="metrics.k8s.io"), id="nodes"),
        pytest.param(
            f"{PODS}/web",
            Attributes(verb="get", resource="pods", group="metrics.k8s.io", namespace="default", name="web"),
            id="a pod",
        ),
    ],
)
def test_paths_say_what_is_wanted(api: Api, scraper: Scraper, path: str, wanted: Attributes | None) -> None:
    assert Metrics(api, scraper).wanted(path) == wanted


def test_other_paths_of_the_group_are_not_there(api: Api, scraper: Scraper) -> None:
    with pytest.raises(ApiError, match="could not find the requested resource"):
        Metrics(api, scraper).wanted("/apis/metrics.k8s.io/v1beta1/services")
