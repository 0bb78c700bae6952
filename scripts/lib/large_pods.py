"""The pods of a large cluster as an API server writes them, with real sizes and real fields.

A pod has about 6 KB; a third of that are its `managedFields`, which no list or watch leaves out.
"""

from typing import Any, Final

from app.model.names import TAINT_EFFECT, TAINT_KEY, TAINT_VALUE
from scripts.lib.large_objects import (
    BEGAN,
    REGISTRY,
    Template,
    condition,
    managed,
    namespace_name,
    node_name,
    owned,
)


def bound_pod(index: int, *, nodes: int, version: int = 1) -> bytes:
    """A running pod, spread over so many real nodes."""
    return _BOUND.filled(
        name=f"checkout-{index % 997}-7c9d8f6b5d-{index}",
        namespace=namespace_name(index),
        uid=f"9f3a2b1c-0d4e-4f5a-8b6c-{index:012d}",
        version=version,
        node=node_name(index % nodes),
        app=f"checkout-{index % 997}",
        cpu=("50m", "100m", "250m", "500m")[index % 4],
        memory=("128Mi", "256Mi", "512Mi")[index % 3],
    )


def pending_pod(serial: int, *, version: int) -> bytes:
    """An opted-in pod that the scheduler found no node for."""
    return _PENDING.filled(
        name=f"worker-{serial % 31}-5b6c7d8e9f-{serial}",
        namespace=namespace_name(serial),
        uid=pending_uid(serial),
        version=version,
        node="",
        app=f"worker-{serial % 31}",
        cpu="250m",
        memory="512Mi",
    )


def pending_uid(serial: int) -> str:
    """The uid of the pending pod with this number."""
    return f"1e2d3c4b-5a69-4788-9a0b-{serial:012d}"


def _container(name: str) -> dict[str, Any]:
    environment = [
        {"name": f"{name.upper()}_SETTING_{number}", "value": f"value-of-setting-{number}"}
        for number in range(4)
    ]
    return {
        "name": name,
        "image": f"{REGISTRY}/@app@:2026-01-01-4f5a8b6c",
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": [*environment, {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "resources": {
            "requests": {"cpu": "@cpu@", "memory": "@memory@"},
            "limits": {"memory": "@memory@"},
        },
        "volumeMounts": [
            {
                "name": "kube-api-access-x2z9q",
                "readOnly": True,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            },
            {"name": "config", "mountPath": "/etc/app"},
        ],
        "livenessProbe": {"httpGet": {"path": "/live", "port": "http"}, "periodSeconds": 10},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def _pod_spec() -> dict[str, Any]:
    token = {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    authority = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    return {
        "volumes": [
            {"name": "config", "configMap": {"name": "@app@", "defaultMode": 420}},
            {
                "name": "kube-api-access-x2z9q",
                "projected": {"sources": [token, authority], "defaultMode": 420},
            },
        ],
        "containers": [_container("app")],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "@app@",
        "serviceAccount": "@app@",
        "nodeName": "@node@",
        "securityContext": {"runAsNonRoot": True, "fsGroup": 1000},
        "schedulerName": "default-scheduler",
        "tolerations": [
            {
                "key": "node.kubernetes.io/not-ready",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            },
            {
                "key": "node.kubernetes.io/unreachable",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            },
            {"key": TAINT_KEY, "operator": "Equal", "value": TAINT_VALUE, "effect": TAINT_EFFECT},
        ],
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _running() -> dict[str, Any]:
    kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    container = {
        "name": "app",
        "state": {"running": {"startedAt": BEGAN}},
        "lastState": {},
        "ready": True,
        "restartCount": 0,
        "image": f"{REGISTRY}/@app@:2026-01-01-4f5a8b6c",
        "imageID": f"{REGISTRY}/@app@@sha256:{'0123456789abcdef' * 4}",
        "containerID": f"containerd://{'fedcba9876543210' * 4}",
        "started": True,
    }
    return {
        "phase": "Running",
        "conditions": [condition(kind) for kind in kinds],
        "hostIP": "10.0.0.1",
        "podIP": "10.1.2.3",
        "podIPs": [{"ip": "10.1.2.3"}],
        "startTime": BEGAN,
        "containerStatuses": [container],
        "qosClass": "Burstable",
    }


def _unschedulable() -> dict[str, Any]:
    refused = condition("PodScheduled", status="False", reason="Unschedulable")
    return {"phase": "Pending", "conditions": [refused], "qosClass": "Burstable"}


def _pod(status: dict[str, Any]) -> Template:
    spec = _pod_spec()
    labels = {
        "app.kubernetes.io/name": "@app@",
        "app.kubernetes.io/version": "2026-01-01-4f5a8b6c",
        "app.kubernetes.io/managed-by": "Helm",
        "pod-template-hash": "7c9d8f6b5d",
    }
    annotations = {
        "checksum/config": "0123456789abcdef" * 4,
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8080",
        "kubectl.kubernetes.io/restartedAt": BEGAN,
    }
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "@app@-7c9d8f6b5d", "controller": True}
    written = {"f:metadata": owned({"labels": labels, "annotations": annotations}), "f:spec": owned(spec)}
    metadata = {
        "name": "@name@",
        "generateName": "@app@-7c9d8f6b5d-",
        "namespace": "@namespace@",
        "uid": "@uid@",
        "resourceVersion": "@version@",
        "creationTimestamp": BEGAN,
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [{**owner, "uid": "3b2a1c0d-@app@", "blockOwnerDeletion": True}],
        "managedFields": [
            managed("kube-controller-manager", written),
            managed("kubelet", {"f:status": owned(status)}, subresource="status"),
        ],
    }
    return Template({"metadata": metadata, "spec": spec, "status": status})


_BOUND: Final = _pod(_running())
_PENDING: Final = _pod(_unschedulable())
