"""What the extender counts: https://prometheus.io/docs/practices/naming/."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.extender.cluster.facts import Facts
from app.extender.decision.budget import Balance, Scope
from app.extender.decision.mode import Mode
from app.model.setting import named

_FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class ServerMetrics:
    """What the scheduler asked, and how it was answered."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "spillway_extender_requests",
            "Requests of the scheduler, by verb and outcome.",
            ["verb", "outcome"],
            registry=registry,
        )
        self.seconds = Histogram(
            "spillway_extender_request_seconds",
            "Time to answer the scheduler, by verb.",
            ["verb"],
            buckets=_FAST,
            registry=registry,
        )
        self.lookups = Counter(
            "spillway_extender_lookups",
            "Consistent reads of a node that the cache could not answer for, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.tampered = Counter(
            "spillway_extender_tampered_grants",
            "Grants annotations that the gate did not write.",
            registry=registry,
        )
        for verb in ("filter", "prioritize", "preempt"):
            for outcome in ("error", "bad_request", "too_large"):
                self.requests.labels(verb, outcome)


class GateMetrics:
    """What the leader decided and wrote."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.budgets = BudgetMetrics(registry)
        self.observed = ObserveMetrics(registry)
        self.pressure = PressureMetrics(registry)
        self.leader = Gauge("spillway_gate_leader", "1 where this replica leads.", registry=registry)
        self.chore_failures = Counter(
            "spillway_gate_chore_failures",
            "Failures of what the leader does beside the pressure loop; it is begun anew.",
            ["chore"],
            registry=registry,
        )
        self.failed_turns = Counter(
            "spillway_gate_failed_turns",
            "Looks at the cluster that no decision came of; the gate is closed until one does.",
            registry=registry,
        )
        self.open = Gauge("spillway_gate_grants_open", "Grants that stand.", ["node"], registry=registry)
        self.decisions = Counter(
            "spillway_gate_decisions",
            "New decisions on pods, by kind (burst, would-burst, wait, refuse) and reason.",
            ["kind", "reason"],
            registry=registry,
        )
        self.applies = Counter(
            "spillway_gate_applies",
            "Writes of grants and room to a virtual node, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.tolerations = Counter(
            "spillway_gate_tolerations",
            "Tolerations for granted pods (actuator: toleration), by outcome: added, needless, gone, failed.",
            ["outcome"],
            registry=registry,
        )
        self.seconds = Histogram(
            "spillway_gate_decision_seconds", "Time to decide on all pods.", buckets=_FAST, registry=registry
        )
        self.tampered = Counter(
            "spillway_gate_tampered_grants",
            "Grants annotations that the gate did not write, and wrote anew.",
            registry=registry,
        )


class BudgetMetrics:
    """What is spent of each budget, and how each gate is run."""

    def __init__(self, registry: CollectorRegistry) -> None:
        scope, quota = ["scope", "namespace"], ["region", "purchase"]
        self._spent = (
            Gauge("spillway_budget_pods", "Overflow pods, granted ones included.", scope, registry=registry),
            Gauge("spillway_budget_vcpus", "Their Fargate vCPUs.", scope, registry=registry),
            Gauge(
                "spillway_budget_hourly_dollars",
                "Their price in US dollars an hour.",
                scope,
                registry=registry,
            ),
        )
        self._limits = (
            Gauge("spillway_budget_pods_limit", "The most of them.", scope, registry=registry),
            Gauge("spillway_budget_vcpus_limit", "The most of them.", scope, registry=registry),
            Gauge("spillway_budget_hourly_dollars_limit", "The most of it.", scope, registry=registry),
        )
        self._quota_spent = Gauge(
            "spillway_quota_vcpus",
            "Fargate vCPUs of overflow pods that count against the account's quota.",
            quota,
            registry=registry,
        )
        self._quota_limit = Gauge(
            "spillway_quota_vcpus_limit", "The account's quota of Fargate vCPUs.", quota, registry=registry
        )
        self._mode = Gauge(
            "spillway_gate_mode",
            "1 for the mode of each virtual node's gate.",
            ["node", "mode"],
            registry=registry,
        )
        self._invalid = Gauge(
            "spillway_gate_mode_invalid",
            "1 for each virtual node whose gate is closed since its annotation means nothing.",
            ["node"],
            registry=registry,
        )
        self._shown: Mapping[Scope, Balance] = {}

    def show(self, balances: tuple[Balance, ...]) -> None:
        """Set the gauges of what has changed; budgets that are no more are gone from them."""
        before, self._shown = self._shown, {each.scope: each for each in balances}
        for scope in before.keys() - self._shown.keys():
            self._remove(scope)
        for each in balances:
            known = before.get(each.scope)
            if known == each:
                continue
            if known is not None and known.limits != each.limits:
                self._remove(each.scope)
            if each.scope.kind == "quota":
                self._show_quota(each)
            else:
                self._show_budget(each)

    def _remove(self, scope: Scope) -> None:
        is_quota = scope.kind == "quota"
        labels = (scope.name, scope.purchase) if is_quota else (scope.kind, scope.name)
        for gauge in (self._quota_spent, self._quota_limit) if is_quota else (*self._spent, *self._limits):
            gauge.remove(*labels)

    def show_modes(self, modes: Mapping[str, Mode], *, invalid: Iterable[str]) -> None:
        """Set the mode of each virtual node, by name, and those whose word means nothing."""
        self._mode.clear()
        self._invalid.clear()
        for node, mode in modes.items():
            self._mode.labels(node, mode).set(1)
        for node in invalid:
            self._invalid.labels(node).set(1)

    def _show_quota(self, balance: Balance) -> None:
        labels = (balance.scope.name, balance.scope.purchase)
        self._quota_spent.labels(*labels).set(balance.spent.vcpu)
        self._quota_limit.labels(*labels).set(balance.limits.vcpu or 0)

    def _show_budget(self, balance: Balance) -> None:
        labels = (balance.scope.kind, balance.scope.name)
        spent, limits = balance.spent, balance.limits
        for gauge, value in zip(self._spent, (spent.pods, spent.vcpu, spent.hourly), strict=True):
            gauge.labels(*labels).set(value)
        for gauge, most in zip(self._limits, (limits.pods, limits.vcpu, limits.hourly), strict=True):
            if most is not None:
                gauge.labels(*labels).set(most)


class ObserveMetrics:
    """What would run on Fargate, were it not for gates that only observe."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.pods = Gauge("spillway_observed_pods", "Pods that would run on Fargate now.", registry=registry)
        self.vcpus = Gauge("spillway_observed_vcpus", "Their Fargate vCPUs.", registry=registry)
        self.hourly = Gauge(
            "spillway_observed_hourly_dollars", "Their price in US dollars an hour.", registry=registry
        )
        self.dollars = Counter(
            "spillway_observed_dollars", "What they would have cost until now.", registry=registry
        )
        self.lost = Counter(
            "spillway_observed_lost_lines",
            f"Lines of {named('extender', 'observe_file')} that could not be written.",
            registry=registry,
        )


class HomingMetrics:
    """What came home, and why the rest stays."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.evictions = Counter(
            "spillway_return_evictions",
            "Evictions of overflow pods that real nodes have room for, by outcome of the request.",
            ["outcome"],
            registry=registry,
        )
        self.returns = Counter(
            "spillway_returns",
            "What came of the evictions: home, or struck (back on Fargate, refused, or never Ready again).",
            ["outcome"],
            registry=registry,
        )
        self.staying = Gauge(
            "spillway_overflow_staying",
            "Overflow pods that stay on Fargate for now, by reason.",
            ["reason"],
            registry=registry,
        )


class HandoverMetrics:
    """Overflow that stays: what it cost so far, and the nodes that were asked for instead."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.paid = Gauge(
            "spillway_handover_paid_dollars",
            "What the next nodes would have saved on Fargate within the time that they must earn.",
            registry=registry,
        )
        self.price = Gauge(
            "spillway_handover_price_dollars", "What those nodes cost in that time.", registry=registry
        )
        self.placeholders = Gauge(
            "spillway_handover_placeholders",
            "Placeholder pods, by state (waiting for a node, ready to be replaced).",
            ["state"],
            registry=registry,
        )
        self.nodes = Counter(
            "spillway_handover_nodes_asked", "Nodes that were asked for, as we count.", registry=registry
        )
        self.made = Counter(
            "spillway_handover_placeholders_made",
            "Placeholders that were to be made, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.removed = Counter(
            "spillway_handover_placeholders_removed",
            "Placeholders that were taken away, by reason.",
            ["reason"],
            registry=registry,
        )


class PressureMetrics:
    """How full the nodes are that waiting and overflow pods could use, and what is on its way to them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._level = Gauge(
            "spillway_pressure_level",
            "Requested over allocatable where it is highest, of the nodes that some pod could use.",
            registry=registry,
        )
        self._high = Gauge(
            "spillway_pressure_high_pods",
            "Waiting and overflow pods whose nodes are above the high watermark.",
            registry=registry,
        )
        self._pending = Gauge(
            "spillway_pressure_pending_pods", "Pods that the scheduler finds no node for.", registry=registry
        )
        self._coming = Gauge("spillway_nodes_coming", "Nodes on their way.", ["source"], registry=registry)
        self._learned = Gauge(
            "spillway_learned_seconds",
            "How long a node takes to be Ready (node), Fargate to start a pod (fargate); 3 times of 4.",
            ["what"],
            registry=registry,
        )

    def show(self, facts: Facts) -> None:
        """Set the gauges to what the facts say."""
        measured = facts.pressure.values()
        self._level.set(max((each.level for each in measured), default=0.0))
        self._high.set(sum(1 for each in measured if each.mark is not None and each.mark.mark == "high"))
        self._pending.set(sum(1 for uid in facts.unbound if uid in facts.pressure))
        for source in ("node", "node-claim", "cluster-autoscaler"):
            self._coming.labels(source).set(sum(1 for each in facts.coming if each.source == source))
        learned = facts.learned
        for what, took in (("node", learned.node_boot), ("fargate", learned.fargate_start)):
            if took is not None:
                self._learned.labels(what).set(took.total_seconds())
