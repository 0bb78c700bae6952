"""An installation that is well, as one look shows it; tests name what is otherwise."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
import yaml

from app.doctor.finding import Finding, Level
from app.doctor.installation import setup_of
from app.doctor.rights import questions
from app.doctor.seen import Gate, Policy, Seen, Trial
from app.local.registration import webhook_configuration
from app.local.scheduler_configuration import scheduler_configuration
from app.model import names
from app.model.installed import Workload
from app.model.lease import LeaseObject
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.objects import ConfigMap
from app.model.webhook_configuration import MutatingWebhookConfiguration
from tests.builders import NOON, a_node, a_pod, a_virtual_node, opted_in_toleration

NAMESPACE = "spillway"
VERSION = "0.1.0"
SCHEDULER_LEASE = "kube-system/kube-scheduler"
LABELS = {
    names.NODE_TYPE_LABEL: names.VIRTUAL_KUBELET,
    names.COMPUTE_TYPE_LABEL: names.COMPUTE_TYPE,
    names.EXCLUDE_FROM_LOAD_BALANCERS: "true",
    names.ZONE_LABEL: "us-east-1a",
}
PREPARED = {
    "tolerations": [opted_in_toleration()],
    "affinity": {"nodeAffinity": {"preferred": [{"key": names.NODE_TYPE_LABEL}]}},
    "schedulerName": "default-scheduler",
    "containers": [
        {"name": "main", "image": "it", "resources": {"limits": {names.MARKER: "0"}}},
    ],
}
"""What the webhook makes of a pod."""


def a_namespace(name: str, *, annotations: Mapping[str, str] | None = None, **labels: str) -> Namespace:
    """A namespace; keyword arguments are labels of ours, as `overflow`."""
    ours = {f"spillway.dev/{key}": value for key, value in labels.items()}
    metadata = {"name": name, "labels": ours, "annotations": dict(annotations or {})}
    return msgspec.convert({"metadata": metadata}, Namespace)


def a_workload(program: str, *, version: str = VERSION, ready: int = 1, **environment: str) -> Workload:
    """A Deployment as the chart writes it; keyword arguments are variables, without SPILLWAY_."""
    labels = {
        "app.kubernetes.io/part-of": "spillway",
        "app.kubernetes.io/component": program,
        "app.kubernetes.io/version": version,
    }
    variables = [{"name": f"SPILLWAY_{name}", "value": value} for name, value in environment.items()]
    spec = {
        "serviceAccountName": f"spillway-{program}",
        "containers": [{"name": program, "image": f"spillway:{version}", "env": variables}],
        "volumes": [{"name": "tls", "secret": {"secretName": "spillway-tls"}}],
    }
    body = {
        "metadata": {"name": f"spillway-{program}", "namespace": NAMESPACE, "labels": labels},
        "spec": {"replicas": 1, "template": {"metadata": {"labels": labels}, "spec": spec}},
        "status": {"readyReplicas": ready},
    }
    return msgspec.convert(body, Workload)


def a_virtual(name: str = "fargate", *, labels: Mapping[str, str] | None = None, **fields: Any) -> Node:
    """A virtual node as the bridge keeps it; labels are set beside its own."""
    return a_virtual_node(name, labels={**LABELS, **(labels or {})}, **fields)


def webhooks(**changes: Any) -> tuple[MutatingWebhookConfiguration, ...]:
    """The configuration as it is registered; keyword arguments change all entries, in camelCase."""
    written = webhook_configuration(url="https://127.0.0.1:8443", ca_pem=b"an authority")
    entries = [{**each, **changes} for each in written["webhooks"]]
    return (msgspec.convert({**written, "webhooks": entries}, MutatingWebhookConfiguration),)


def a_configuration(**extender: Any) -> ConfigMap:
    """A ConfigMap with a scheduler's configuration; keyword arguments change the extender, in camelCase."""
    written = scheduler_configuration(
        kubeconfig_path="", extender_url="https://127.0.0.1:9443", ca_data=b"an authority", marked_only=True
    )
    [ours] = written["extenders"]
    changed = {key: value for key, value in {**ours, **extender}.items() if value is not None}
    whole = {**written, "extenders": [changed], "leaderElection": {"leaderElect": True}}
    metadata = {"namespace": NAMESPACE, "name": "scheduler"}
    return msgspec.convert({"metadata": metadata, "data": {"config.yaml": yaml.safe_dump(whole)}}, ConfigMap)


def configured(*found: ConfigMap) -> dict[str, tuple[ConfigMap, ...]]:
    """The ConfigMaps of Spillway's namespace, and none of kube-system."""
    return {NAMESPACE: found, "kube-system": ()}


def a_lease(holder: str = "scheduler-0", *, ago: float = 1.0) -> LeaseObject:
    """A Lease that was renewed so many seconds ago."""
    renewed = (NOON - timedelta(seconds=ago)).isoformat()
    spec = {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": renewed}
    return msgspec.convert({"metadata": {"name": "kube-scheduler"}, "spec": spec}, LeaseObject)


def a_trial(word: Any = "enabled", **spec: Any) -> Trial:
    """A pod that went through the webhook; keyword arguments change its spec."""
    return Trial(namespace="shop", word=word, pod=a_pod(**{**PREPARED, **spec}))


def a_look(**changes: Any) -> Seen:
    """One look at it. Every right that is asked for is there."""
    workloads = tuple(a_workload(each) for each in ("webhook", "extender", "bridge", "issuer"))
    nodes = (a_node(labels={names.ZONE_LABEL: "us-east-1a"}), a_virtual())
    namespaces = (a_namespace("shop", overflow="enabled"), a_namespace("default"))
    setup = setup_of(workloads, namespace=NAMESPACE, policy=Policy(), nodes=nodes[1:], namespaces=namespaces)
    fields: dict[str, Any] = {
        "now": NOON,
        "server": "v1.36.2",
        "own": VERSION,
        "namespace": NAMESPACE,
        "gate": Gate(holder="extender-0"),
        "workloads": workloads,
        "webhooks": webhooks(),
        "trials": (a_trial("enabled"), a_trial("tolerant")),
        "config_maps": configured(a_configuration()),
        "scheduler_leases": {SCHEDULER_LEASE: a_lease()},
        "nodes": nodes,
        "namespaces": namespaces,
        "setup": setup,
        "answers": dict.fromkeys(questions(setup), True),
    }
    return Seen(**{**fields, **changes})


def not_ok(check: Callable[[Seen], Iterator[Finding]], seen: Seen) -> list[tuple[Level, str]]:
    """What is not OK: its level, and the line without the mend."""
    return [(each.level, each.seen) for each in check(seen) if each.level != Level.OK]


def told(check: Callable[[Seen], Iterator[Finding]], seen: Seen) -> str:
    """All lines of a check with their mends, as one text."""
    return "\n".join(f"{each.level} {each.seen} | {each.mend}" for each in check(seen))
