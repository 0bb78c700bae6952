"""What metrics-server reads, in its own parser's terms."""

from datetime import timedelta

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from app.kubelet.usage.resource_metrics import resource_metrics
from app.kubelet.usage.summary import summary
from app.model.names import PodUid
from app.model.usage import ContainerUsage, NodeUsage, PodUsage
from tests.builders import NOON

AT = NOON + timedelta(minutes=1)
MAIN = ContainerUsage(name="main", started=NOON, at=AT, cpu_seconds=30.5, cores=0.5, working_set=52_000_000)
SIDE = ContainerUsage(name="side", started=NOON, at=NOON, cpu_seconds=1.5, cores=None, working_set=8_000_000)
POD = PodUsage(namespace="shop", name="web-1", uid=PodUid("u1"), started=NOON, containers=(MAIN, SIDE))
NODE = NodeUsage(name="fargate", started=NOON, at=AT, cpu_seconds=32.0, cores=0.5, working_set=60_000_000)


def test_every_figure_stands_under_the_kubelets_name_with_its_time() -> None:
    assert resource_metrics(NODE, [POD]).splitlines()[2::1] == [
        "node_cpu_usage_seconds_total 32 1767268860000",
        "# HELP node_memory_working_set_bytes [STABLE] Current working set of the node in bytes",
        "# TYPE node_memory_working_set_bytes gauge",
        "node_memory_working_set_bytes 60000000 1767268860000",
        (
            "# HELP container_start_time_seconds [STABLE] "
            "Start time of the container since unix epoch in seconds"
        ),
        "# TYPE container_start_time_seconds gauge",
        'container_start_time_seconds{container="main",namespace="shop",pod="web-1"} 1767268800',
        'container_start_time_seconds{container="side",namespace="shop",pod="web-1"} 1767268800',
        (
            "# HELP container_cpu_usage_seconds_total [STABLE] "
            "Cumulative cpu time consumed by the container in core-seconds"
        ),
        "# TYPE container_cpu_usage_seconds_total counter",
        'container_cpu_usage_seconds_total{container="main",namespace="shop",pod="web-1"} 30.5 1767268860000',
        'container_cpu_usage_seconds_total{container="side",namespace="shop",pod="web-1"} 1.5 1767268800000',
        "# HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes",
        "# TYPE container_memory_working_set_bytes gauge",
        (
            'container_memory_working_set_bytes{container="main",namespace="shop",pod="web-1"} '
            "52000000 1767268860000"
        ),
        (
            'container_memory_working_set_bytes{container="side",namespace="shop",pod="web-1"} '
            "8000000 1767268800000"
        ),
        "# HELP pod_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the pod in core-seconds",
        "# TYPE pod_cpu_usage_seconds_total counter",
        'pod_cpu_usage_seconds_total{namespace="shop",pod="web-1"} 32 1767268860000',
        "# HELP pod_memory_working_set_bytes [STABLE] Current working set of the pod in bytes",
        "# TYPE pod_memory_working_set_bytes gauge",
        'pod_memory_working_set_bytes{namespace="shop",pod="web-1"} 60000000 1767268860000',
        (
            "# HELP resource_scrape_error [STABLE] "
            "1 if there was an error while getting container metrics, 0 otherwise"
        ),
        "# TYPE resource_scrape_error gauge",
        "resource_scrape_error 0",
    ]


def test_a_scraper_can_read_it() -> None:
    families = {each.name: each for each in text_string_to_metric_families(resource_metrics(NODE, [POD]))}
    assert [each.value for each in families["container_cpu_usage_seconds"].samples] == [30.5, 1.5]


def test_a_node_without_a_measurement_shows_no_zeros() -> None:
    idle = msgspec.structs.replace(NODE, working_set=0, cpu_seconds=0.0)
    assert [each for each in resource_metrics(idle, []).splitlines() if not each.startswith("#")] == [
        "resource_scrape_error 0"
    ]


def test_the_summary_sums_a_pod_up_and_leaves_out_what_is_not_known() -> None:
    told = summary(NODE, [POD])
    assert told["node"]["cpu"] == {
        "time": "2026-01-01T12:01:00Z",
        "usageNanoCores": 500_000_000,
        "usageCoreNanoSeconds": 32_000_000_000,
    }
    [pod] = told["pods"]
    assert pod["podRef"] == {"name": "web-1", "namespace": "shop", "uid": "u1"}
    assert pod["cpu"] == {"time": "2026-01-01T12:01:00Z", "usageCoreNanoSeconds": 32_000_000_000}
    assert pod["memory"] == {"time": "2026-01-01T12:01:00Z", "workingSetBytes": 60_000_000}
    assert [each["name"] for each in pod["containers"]] == ["main", "side"]
