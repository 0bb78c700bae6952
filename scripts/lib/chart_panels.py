"""What the Grafana dashboard of the chart shows: rows of panels."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["timeseries", "stat", "bargauge"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: what it asks, each with a legend.

    Attributes:
        title: the heading.
        queries: PromQL and legend.
        unit: Grafana's name of the unit.
        kind: how it is drawn.
        width: in columns.
        note: what a reader should know.
        is_named: the legend is what is to be read, and not the value.
    """

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: Kind = "timeseries"
    width: int = 8
    note: str = ""
    is_named: bool = False


def _quantile(share: float, metric: str, *by: str) -> str:
    labels = ", ".join(("le", *by))
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket[$__rate_interval])))"


def _rate(metric: str, *by: str) -> str:
    over = f" by ({', '.join(by)})" if by else ""
    return f"sum{over} (rate({metric}[$__rate_interval]))"


def _share(metric: str, *by: str) -> str:
    return f"max by ({', '.join(by)}) ({metric} / ({metric}_limit > 0))"


ROWS: Final[tuple[tuple[str, tuple[Panel, ...]], ...]] = (
    (
        "Overflow",
        (
            Panel(
                "Pods on Fargate",
                (('max(spillway_budget_pods{scope="cluster"})', ""),),
                kind="stat",
                width=4,
                note="Granted ones included.",
            ),
            Panel(
                "Fargate vCPUs", (('max(spillway_budget_vcpus{scope="cluster"})', ""),), kind="stat", width=4
            ),
            Panel(
                "Dollars an hour",
                (('max(spillway_budget_hourly_dollars{scope="cluster"})', ""),),
                unit="currencyUSD",
                kind="stat",
                width=4,
                note="At the on-demand price, for Spot, too.",
            ),
            Panel(
                "Leaders",
                (("sum(spillway_gate_leader)", ""),),
                kind="stat",
                width=4,
                note="One, or nothing new bursts.",
            ),
            Panel(
                "Gate",
                (("max by (node, mode) (spillway_gate_mode)", "{{node}}: {{mode}}"),),
                kind="stat",
                width=8,
                is_named=True,
            ),
            Panel(
                "Pods on Fargate by namespace",
                (('max by (namespace) (spillway_budget_pods{scope="namespace"})', "{{namespace}}"),),
            ),
            Panel(
                "Dollars an hour by namespace",
                (
                    (
                        'max by (namespace) (spillway_budget_hourly_dollars{scope="namespace"})',
                        "{{namespace}}",
                    ),
                ),
                unit="currencyUSD",
            ),
            Panel(
                "Budgets spent",
                (
                    (_share("spillway_budget_pods", "scope", "namespace"), "pods, {{scope}} {{namespace}}"),
                    (_share("spillway_budget_vcpus", "scope", "namespace"), "vCPUs, {{scope}} {{namespace}}"),
                    (
                        _share("spillway_budget_hourly_dollars", "scope", "namespace"),
                        "dollars, {{scope}} {{namespace}}",
                    ),
                    (
                        _share("spillway_quota_vcpus", "region", "purchase"),
                        "AWS quota, {{purchase}} in {{region}}",
                    ),
                ),
                unit="percentunit",
            ),
        ),
    ),
    (
        "The gate",
        (
            Panel(
                "Decisions",
                ((_rate("spillway_gate_decisions_total", "kind", "reason"), "{{kind}}: {{reason}}"),),
                unit="ops",
            ),
            Panel(
                "Grants that stand",
                (("max by (node) (spillway_gate_grants_open)", "{{node}}"),),
            ),
            Panel(
                "Tolerations",
                ((_rate("spillway_gate_tolerations_total", "outcome"), "{{outcome}}"),),
                unit="ops",
                note="With the actuator toleration.",
            ),
            Panel(
                "Pressure on the nodes",
                (("max(spillway_pressure_level)", "requested over allocatable"),),
                unit="percentunit",
            ),
            Panel(
                "Pods that find no node",
                (
                    ("max(spillway_pressure_pending_pods)", "without a node"),
                    (
                        "max(spillway_pressure_high_pods)",
                        "waiting or on Fargate, nodes above the high watermark",
                    ),
                ),
            ),
            Panel(
                "Nodes on their way",
                (("max by (source) (spillway_nodes_coming)", "{{source}}"),),
            ),
            Panel(
                "How long things take",
                (("max by (what) (spillway_learned_seconds)", "{{what}}"),),
                unit="s",
                note="As learned from this cluster; 3 times of 4.",
            ),
            Panel(
                "Time to decide",
                ((_quantile(0.99, "spillway_gate_decision_seconds"), "p99"),),
                unit="s",
            ),
            Panel(
                "What only would have burst",
                (
                    ("max(spillway_observed_pods)", "pods"),
                    ("max(spillway_observed_hourly_dollars)", "dollars an hour"),
                ),
                note="With the gate at observe.",
            ),
        ),
    ),
    (
        "The way home, and hand-over to nodes",
        (
            Panel("Why overflow stays", (("max by (reason) (spillway_overflow_staying)", "{{reason}}"),)),
            Panel(
                "Returns",
                (
                    (_rate("spillway_returns_total", "outcome"), "{{outcome}}"),
                    (_rate("spillway_return_evictions_total", "outcome"), "eviction {{outcome}}"),
                ),
                unit="ops",
            ),
            Panel(
                "Fargate's cost against a node's",
                (
                    ("max(spillway_handover_paid_dollars)", "paid on Fargate"),
                    ("max(spillway_handover_price_dollars)", "price of the nodes"),
                ),
                unit="currencyUSD",
            ),
            Panel(
                "Placeholders",
                (("max by (state) (spillway_handover_placeholders)", "{{state}}"),),
            ),
        ),
    ),
    (
        "The bridge and AWS",
        (
            Panel("Pods by phase", (("max by (phase) (spillway_bridge_pods)", "{{phase}}"),)),
            Panel("Tasks by status", (("max by (status) (spillway_bridge_tasks)", "{{status}}"),)),
            Panel("Queue", (("max by (pod) (spillway_bridge_queue_depth)", "{{pod}}"),)),
            Panel(
                "Launches",
                ((_rate("spillway_bridge_launches_total", "outcome"), "{{outcome}}"),),
                unit="ops",
            ),
            Panel(
                "Time to launch",
                (
                    (_quantile(0.5, "spillway_bridge_launch_seconds"), "p50"),
                    (_quantile(0.95, "spillway_bridge_launch_seconds"), "p95"),
                ),
                unit="s",
            ),
            Panel(
                "Throttled by AWS",
                ((_rate("spillway_aws_throttled_total", "lane"), "{{lane}}"),),
                unit="ops",
            ),
            Panel(
                "Requests to the node's API",
                ((_rate("spillway_kubelet_requests_total", "route", "status"), "{{route}} {{status}}"),),
                unit="ops",
                note="kubectl logs, exec, top and their kin.",
            ),
            Panel(
                "Refused by the node's API",
                ((_rate("spillway_kubelet_denied_total", "reason"), "{{reason}}"),),
                unit="ops",
            ),
            Panel(
                "News of tasks",
                (
                    (_rate("spillway_bridge_task_events_total", "kind"), "{{kind}}"),
                    (_rate("spillway_bridge_orphans_stopped_total"), "orphans stopped"),
                ),
                unit="ops",
            ),
        ),
    ),
    (
        "Webhook, extender and certificates",
        (
            Panel(
                "Pods at admission",
                ((_rate("spillway_webhook_admissions_total", "outcome"), "{{outcome}}"),),
                unit="ops",
            ),
            Panel(
                "Why opted-in pods cannot overflow",
                ((_rate("spillway_webhook_refusals_total", "code"), "{{code}}"),),
                unit="ops",
            ),
            Panel(
                "Said in vain",
                (
                    ("max(spillway_gate_unprepared_pods)", "pods that the webhook missed"),
                    ("max by (code) (spillway_gate_namespace_faults)", "namespaces: {{code}}"),
                    (
                        "sum(increase(spillway_webhook_unread_keys_total[1h]))",
                        "pods' misspelt keys, last hour",
                    ),
                ),
            ),
            Panel(
                "Time of a review",
                ((_quantile(0.99, "spillway_webhook_review_seconds"), "p99"),),
                unit="s",
            ),
            Panel(
                "Questions of kube-scheduler",
                ((_rate("spillway_extender_requests_total", "verb", "outcome"), "{{verb}}: {{outcome}}"),),
                unit="ops",
            ),
            Panel(
                "Time to answer kube-scheduler",
                ((_quantile(0.99, "spillway_extender_request_seconds", "verb"), "{{verb}} p99"),),
                unit="s",
            ),
            Panel(
                "Certificates end in",
                (
                    (
                        "min by (certificate, node) (spillway_certificate_not_after_seconds) - time()",
                        "{{certificate}} {{node}}",
                    ),
                ),
                unit="s",
                kind="bargauge",
            ),
            Panel(
                "Broken watches",
                ((_rate("spillway_watch_failures_total", "pod", "path"), "{{pod}} {{path}}"),),
                unit="ops",
            ),
        ),
    ),
)
