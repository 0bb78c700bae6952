"""Reading /metrics/resource."""

from app.local.cluster.metrics.exposition import scraped
from app.local.cluster.metrics.points import Point

WHOLE = """\
# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds
# TYPE node_cpu_usage_seconds_total counter
node_cpu_usage_seconds_total 12.5 1700000000000
node_memory_working_set_bytes 1.2e+08 1700000000500
container_start_time_seconds{container="c",namespace="ns",pod="p"} 1.7e+09
container_cpu_usage_seconds_total{container="c",namespace="ns",pod="p"} 3.1 1700000000000
container_memory_working_set_bytes{container="c",namespace="ns",pod="p"} 5.2e+07 1700000000000
pod_cpu_usage_seconds_total{namespace="ns",pod="p"} 3.1 1700000000000
resource_scrape_error 0
"""
KEY = ("ns", "p", "c")


def test_a_node_and_its_containers_are_read() -> None:
    found = scraped(WHOLE)

    assert found.node == Point(cpu=12.5, memory=1.2e8, at=1_700_000_000.5)
    assert found.containers == {
        KEY: Point(cpu=3.1, memory=5.2e7, at=1_700_000_000.0, started=1_700_000_000.0)
    }


def test_a_node_without_memory_is_left_out() -> None:
    text = WHOLE.replace("node_memory_working_set_bytes 1.2e+08", "node_memory_working_set_bytes 0")

    assert scraped(text).node is None


def test_one_container_without_cpu_leaves_out_its_whole_pod() -> None:
    other = 'container_memory_working_set_bytes{container="d",namespace="ns",pod="p"} 1 1700000000000\n'

    assert scraped(WHOLE + other).containers == {}


def test_what_is_no_sample_is_passed_over() -> None:
    assert scraped("<html>no</html>\nnode_cpu_usage_seconds_total much\n").node is None
