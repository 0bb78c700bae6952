"""Builders: values for tests that name only what the test is about."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from app.model import names
from app.model.container import Container
from app.model.names import PodUid, TaskArn
from app.model.node import Node
from app.model.pod import Pod
from app.model.task import Identity, Task, TaskContainer

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
VIRTUAL = "fargate-1a"
_serial = itertools.count(1)


def wire(value: object) -> Any:
    """The value as Kubernetes would write it in JSON (defaults left in)."""
    return msgspec.to_builtins(value)


def a_container(name: str = "main", **fields: Any) -> dict[str, Any]:
    """A container's JSON; cpu and memory as keyword arguments become requests."""
    requests = {key: fields.pop(key) for key in ("cpu", "memory") if key in fields}
    container: dict[str, Any] = {"name": name, "image": "registry.example/app:1", **fields}
    if requests:
        container["resources"] = {"requests": requests}
    return container


def a_pod(
    name: str = "web-1",
    *,
    namespace: str = "shop",
    uid: str | None = None,
    cpu: str = "500m",
    memory: str = "512Mi",
    containers: Sequence[Mapping[str, Any]] | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    node: str = "",
    phase: str = "Pending",
    metadata: Mapping[str, Any] | None = None,
    status: Mapping[str, Any] | None = None,
    **spec: Any,
) -> Pod:
    """A pod; further keyword arguments are fields of its spec, in camelCase."""
    body = {
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or f"uid-{name}-{next(_serial)}",
            "resourceVersion": "1",
            "creationTimestamp": NOON.isoformat(),
            "labels": dict(labels or {}),
            "annotations": dict(annotations or {}),
            **(metadata or {}),
        },
        "spec": {
            "containers": list(containers or [a_container(cpu=cpu, memory=memory)]),
            "nodeName": node,
            **spec,
        },
        "status": {"phase": phase, **(status or {})},
    }
    return msgspec.convert(body, Pod)


def unschedulable(since: datetime = NOON) -> dict[str, Any]:
    """The status of a pod that the scheduler found no node for."""
    return {
        "conditions": [
            {
                "type": "PodScheduled",
                "status": "False",
                "reason": "Unschedulable",
                "message": "0/2 nodes are available: 2 Insufficient cpu.",
                "lastTransitionTime": since.isoformat(),
            }
        ]
    }


def owned_by(kind: str, name: str = "owner") -> dict[str, Any]:
    """Metadata of an object that a controller made."""
    return {
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}
        ]
    }


def opted_in_toleration() -> dict[str, str]:
    """The toleration that the webhook adds."""
    return {
        "key": names.TAINT_KEY,
        "operator": "Equal",
        "value": names.TAINT_VALUE,
        "effect": names.TAINT_EFFECT,
    }


def a_node(
    name: str = "ec2-0",
    *,
    cpu: str = "2",
    memory: str = "4Gi",
    pods: str = "110",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
    ready: bool = True,
) -> Node:
    """A real node."""
    room = {"cpu": cpu, "memory": memory, "pods": pods, "ephemeral-storage": "100Gi"}
    body = {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "labels": {names.OS_LABEL: "linux", names.ARCH_LABEL: "amd64", **(labels or {})},
            "annotations": dict(annotations or {}),
        },
        "spec": {"taints": list(taints)},
        "status": {
            "allocatable": room,
            "capacity": room,
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
        },
    }
    return msgspec.convert(body, Node)


def a_virtual_node(name: str = VIRTUAL, **fields: Any) -> Node:
    """A virtual node, closed unless told otherwise."""
    fields.setdefault("cpu", "1m")
    fields.setdefault("memory", "0")
    fields.setdefault("pods", "0")
    taint = {"key": names.TAINT_KEY, "value": names.TAINT_VALUE, "effect": names.TAINT_EFFECT}
    return a_node(name, taints=[taint], **fields)


def identity_of(pod: Pod, *, cluster: str = "cluster-1", node: str = VIRTUAL) -> Identity:
    """The identity that the pod's task carries."""
    return Identity(
        cluster=cluster,
        node=node,
        namespace=pod.metadata.namespace,
        name=pod.metadata.name,
        uid=PodUid(pod.metadata.uid),
    )


def a_task(pod: Pod, *, attempt: int = 1, last_status: str = "RUNNING", **fields: Any) -> Task:
    """The task of a pod's attempt, with one task container for each of the pod's."""
    exit_code = fields.pop("exit_code", None)
    reason = fields.pop("reason", "")
    state = "STOPPED" if last_status == "STOPPED" else last_status

    def container(each: Container) -> TaskContainer:
        return TaskContainer(
            name=each.name, last_status=state, exit_code=exit_code, reason=reason, image=each.image
        )

    defaults: dict[str, Any] = {
        "arn": TaskArn(f"arn:aws:ecs:us-east-1:123456789012:task/spillway/{pod.uid}-{attempt}"),
        "identity": identity_of(pod),
        "attempt": attempt,
        "containers": tuple(container(each) for each in pod.spec.containers),
        "created_at": NOON,
    }
    return Task(last_status=last_status, **{**defaults, **fields})
