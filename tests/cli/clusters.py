"""An embedded cluster in a thread of its own, for commands that run event loops of theirs."""

import asyncio
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from app.kube.connection import connect
from app.kube.transport import MERGE_PATCH
from app.model import names
from app.model.node import Node
from app.model.pod import Pod
from app.model.times import rfc3339_micro
from app.tls.authority import Authority
from app.wiring.clock import SystemClock
from app.wiring.local.clusters import Embedded
from tests.builders import a_virtual_node

NODE_LEASES = "kube-node-lease"


class ClusterThread:
    """Starts at once; `stop` ends it."""

    def __init__(self, directory: Path) -> None:
        self.kubeconfig = directory / "kubeconfig"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        clock = SystemClock()
        self._now = clock.now
        self._cluster = Embedded(clock=clock, authority=Authority.create("test", now=clock.now()))
        self._run(self._cluster.start())
        self.kubeconfig.write_text(json.dumps(self._cluster.kubeconfig()))
        self._connection = self._run(connect(kubeconfig=str(self.kubeconfig), clock=clock))

    def stop(self) -> None:
        self._run(self._connection.close())
        self._run(self._cluster.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def post(self, path: str, body: Any) -> None:
        self._run(self._connection.request("POST", path, body=body))

    def patch(self, path: str, body: Any) -> None:
        self._run(self._connection.request("PATCH", path, body=body, content_type=MERGE_PATCH))

    def namespace(self, name: str, labels: Mapping[str, str]) -> None:
        self.post("/api/v1/namespaces", _object("Namespace", {"name": name, "labels": dict(labels)}))

    def node(self, node: Node) -> None:
        """A node with its status."""
        meta = {
            "name": node.name,
            "labels": node.metadata.labels,
            "annotations": node.metadata.annotations,
        }
        spec = {"taints": [msgspec.to_builtins(taint) for taint in node.spec.taints]}
        self.post("/api/v1/nodes", {**_object("Node", meta), "spec": spec})
        self.patch(f"/api/v1/nodes/{node.name}/status", {"status": _plain(node.status)})

    def pod(self, pod: Pod) -> None:
        """A pod with its conditions."""
        space = pod.metadata.namespace
        owners = [msgspec.to_builtins(each) for each in pod.metadata.owner_references]
        meta = {
            "name": pod.metadata.name,
            "annotations": pod.metadata.annotations,
            "ownerReferences": owners,
        }
        spec = {
            "containers": [{"name": "main", "image": "it", "resources": {"requests": {"cpu": "500m"}}}],
            "nodeName": pod.spec.node_name,
            "tolerations": [_plain(each) for each in pod.spec.tolerations],
            "automountServiceAccountToken": False,
        }
        self.post(f"/api/v1/namespaces/{space}/pods", {**_object("Pod", meta), "spec": spec})
        status = {"status": {"conditions": [_plain(each) for each in pod.status.conditions]}}
        self.patch(f"/api/v1/namespaces/{space}/pods/{pod.metadata.name}/status", status)

    def lease(self, namespace: str, name: str) -> None:
        """A Lease that was renewed just now."""
        spec = {
            "holderIdentity": f"holder-of-{name}",
            "leaseDurationSeconds": 60,
            "renewTime": rfc3339_micro(self._now()),
        }
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name},
            "spec": spec,
        }
        self.post(f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases", lease)

    def install(self) -> None:
        """Spillway's traces: a virtual node, and the Leases of those who mind it."""
        self.namespace("spillway", {})
        self.namespace("shop", {names.OVERFLOW: names.ENABLED})
        self.node(a_virtual_node("fargate"))
        self.lease("spillway", names.GATE_LEASE)
        self.lease(NODE_LEASES, "fargate")

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)


def _object(kind: str, metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def _plain(value: Any) -> Any:
    """Without what is empty: an API server has defaults of its own."""
    found = msgspec.to_builtins(value)
    return {key: each for key, each in found.items() if each not in ("", None, [], {})}
