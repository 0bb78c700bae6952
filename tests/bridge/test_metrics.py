from prometheus_client import CollectorRegistry

from app.bridge.metrics import BridgeMetrics, Burden
from tests.builders import a_pod, a_task

POD = a_pod(phase="Running")


def test_pods_and_live_tasks_are_counted_and_what_is_gone_falls_to_zero() -> None:
    registry = CollectorRegistry()
    metrics = BridgeMetrics(registry)
    tasks = (a_task(POD), a_task(POD, last_status="STOPPED"))
    metrics.observe([Burden(pods=(POD,), tasks=tasks, depth=1), Burden(pods=(), tasks=(), depth=2)])
    assert registry.get_sample_value("spillway_bridge_pods", {"phase": "Running"}) == 1
    assert registry.get_sample_value("spillway_bridge_tasks", {"status": "RUNNING"}) == 1
    assert registry.get_sample_value("spillway_bridge_queue_depth") == 3
    metrics.observe([Burden(pods=(), tasks=(), depth=0)])
    assert registry.get_sample_value("spillway_bridge_tasks", {"status": "RUNNING"}) == 0
