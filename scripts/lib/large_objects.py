"""The nodes and namespaces of a large cluster as an API server writes them, with real sizes and real fields.

A node has about 8 KB; half of that are the names of its images.
"""

from typing import Any, Final

import msgspec

from app.model.names import ENABLED, OVERFLOW, TAINT_EFFECT, TAINT_KEY, TAINT_VALUE

NAMESPACES: Final = 200
ZONES: Final = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
BEGAN: Final = "2026-01-01T12:00:00Z"
REGISTRY: Final = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


def namespace_name(index: int) -> str:
    """The namespace of the pod with this number."""
    return f"team-{index % NAMESPACES}"


def namespace(index: int) -> bytes:
    """A namespace that lets its pods overflow."""
    name = namespace_name(index)
    meta = {"name": name, "uid": f"namespace-{index}", "resourceVersion": "1", "labels": {OVERFLOW: ENABLED}}
    return msgspec.json.encode({"metadata": meta, "spec": {}, "status": {"phase": "Active"}})


class Template:
    """An object as text with marks in it: made once, filled in by the hundred thousand."""

    def __init__(self, value: dict[str, Any]) -> None:
        self._text = msgspec.json.encode(value)

    def filled(self, **marks: object) -> bytes:
        """The object with `@name@` replaced for each of the marks."""
        text = self._text
        for name, value in marks.items():
            text = text.replace(f"@{name}@".encode(), str(value).encode())
        return text


def node_name(index: int) -> str:
    """The name of the real node with this number."""
    return f"ip-10-{index // 65536}-{index // 256 % 256}-{index % 256}.eu-central-1.compute.internal"


def node(index: int, *, version: int = 1) -> bytes:
    """A real node."""
    return _NODE.filled(name=node_name(index), index=index, zone=ZONES[index % 3], version=version)


def virtual_node(name: str) -> dict[str, Any]:
    """A virtual node as the bridge makes it: up, and closed."""
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": "1",
            "creationTimestamp": BEGAN,
            "labels": {
                "type": "virtual-kubelet",
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "topology.kubernetes.io/zone": ZONES[0],
            },
            "annotations": {},
        },
        "spec": {"taints": [{"key": TAINT_KEY, "value": TAINT_VALUE, "effect": TAINT_EFFECT}]},
        "status": {
            "capacity": {"cpu": "4000", "memory": "16Ti", "pods": "4000"},
            "allocatable": {"cpu": "1m", "memory": "0", "ephemeral-storage": "0", "pods": "0"},
            "conditions": [condition("Ready")],
        },
    }


def condition(kind: str, *, status: str = "True", reason: str = "") -> dict[str, str]:
    """A condition of a node or pod."""
    found = {"type": kind, "status": status, "lastTransitionTime": BEGAN}
    return {**found, "reason": reason, "message": "0/5000 nodes are available"} if reason else found


def managed(manager: str, fields: dict[str, Any], *, subresource: str = "") -> dict[str, Any]:
    """One entry of `managedFields`."""
    entry = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": BEGAN}
    return {**entry, "fieldsType": "FieldsV1", "fieldsV1": fields, "subresource": subresource}


def owned(value: Any) -> dict[str, Any]:
    """What a manager that wrote the whole value owns: https://kubernetes.io/docs/reference/using-api/server-side-apply/."""
    match value:
        case dict():
            return {f"f:{key}": owned(each) for key, each in value.items()}
        case list():
            keyed = [each for each in value if isinstance(each, dict)]
            return {f'k:{{"name":"{each.get("name", each.get("type"))}"}}': owned(each) for each in keyed}
        case _:
            return {}


def _node() -> Template:
    labels = {
        "kubernetes.io/hostname": "@name@",
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": "m6i.4xlarge",
        "topology.kubernetes.io/region": "eu-central-1",
        "topology.kubernetes.io/zone": "@zone@",
        "karpenter.sh/nodepool": "default",
        "karpenter.sh/capacity-type": "on-demand",
        "karpenter.k8s.aws/instance-category": "m",
        "karpenter.k8s.aws/instance-family": "m6i",
        "karpenter.k8s.aws/instance-size": "4xlarge",
        "karpenter.k8s.aws/instance-cpu": "16",
        "karpenter.k8s.aws/instance-memory": "65536",
    }
    room = {"cpu": "15890m", "memory": "62000000Ki", "ephemeral-storage": "95551679124", "pods": "234"}
    conditions = [
        condition("MemoryPressure", status="False"),
        condition("DiskPressure", status="False"),
        condition("PIDPressure", status="False"),
        condition("Ready"),
    ]
    images = [
        {
            "names": [f"{REGISTRY}/app-{number}@sha256:{number:064x}", f"{REGISTRY}/app-{number}:1"],
            "sizeBytes": 104857600 + number,
        }
        for number in range(20)
    ]
    status = {
        "capacity": {**room, "cpu": "16"},
        "allocatable": room,
        "conditions": conditions,
        "addresses": [
            {"type": "InternalIP", "address": "10.0.0.1"},
            {"type": "Hostname", "address": "@name@"},
        ],
        "images": images,
        "nodeInfo": {"kubeletVersion": "v1.36.2", "osImage": "Bottlerocket OS 1.40.0 (aws-k8s-1.36)"},
    }
    metadata = {
        "name": "@name@",
        "uid": "uid-@name@",
        "resourceVersion": "@version@",
        "creationTimestamp": BEGAN,
        "labels": labels,
        "annotations": {"node.alpha.kubernetes.io/ttl": "0"},
        "managedFields": [
            managed("kubelet", {"f:metadata": owned({"labels": labels})}),
            managed("kubelet", {"f:status": owned({**status, "images": []})}, subresource="status"),
        ],
    }
    spec = {"podCIDR": "10.1.@index@.0/24", "providerID": "aws:///@zone@/i-@index@"}
    return Template({"metadata": metadata, "spec": spec, "status": status})


_NODE: Final = _node()
