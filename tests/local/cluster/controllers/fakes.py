"""What tests do to a cluster whose controllers run: they play the user, the scheduler and the kubelets."""

from collections.abc import Mapping
from typing import Any

from app.local.cluster.apiserver.api import Api, Object
from tests.fakes import VirtualClock, settle


class World:
    """The cluster and its clock."""

    def __init__(self, api: Api, clock: VirtualClock) -> None:
        self.api = api
        self.clock = clock
        self._silent: set[str] = set()

    async def quiet(self) -> None:
        """Let the controllers finish, the changes that they gather for a moment included."""
        for _ in range(3):
            await settle(200)
            await self.clock.advance(0.02)

    async def advance(self, seconds: float) -> None:
        """Let time pass, with a sign of life from every node that is not silent each five seconds."""
        for _ in range(int(seconds // 5)):
            await self.beat()
            await self.clock.advance(5)
            await self.quiet()

    async def beat(self) -> None:
        """Renew the Leases of the nodes that are not silent."""
        for node in self.api.list("nodes"):
            name = node["metadata"]["name"]
            if name not in self._silent:
                now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}}
                body["spec"] = {"holderIdentity": name, "renewTime": now}
                await self.api.patch("leases", "kube-node-lease", name, body, kind="apply", manager="kubelet")

    def silence(self, node: str) -> None:
        """The node's kubelet dies."""
        self._silent.add(node)

    async def node(self, name: str = "ec2-0", **fields: Any) -> None:
        """A ready node."""
        room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
        await self.api.create("nodes", "", {"metadata": {"name": name}, **fields})
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
        status = {"capacity": room, "allocatable": room, "conditions": [ready]}
        await self.api.patch("nodes", "", name, {"status": status}, kind="merge", subresource="status")
        await self.beat()
        await self.quiet()

    async def deployment(self, *, name: str = "web", image: str = "app:1", **spec: Any) -> None:
        """A Deployment with one container."""
        await self.api.create("deployments", "default", a_workload("Deployment", name, image, spec))
        await self.quiet()

    async def set_image(self, image: str, *, name: str = "web") -> None:
        """Begin a rollout."""
        container = {"name": "main", "image": image}
        patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
        await self.api.patch("deployments", "default", name, patch, kind="strategic")
        await self.quiet()

    async def scale(self, replicas: int, *, name: str = "web") -> None:
        """What `kubectl scale` does."""
        await self.api.patch("deployments", "default", name, {"spec": {"replicas": replicas}}, kind="merge")
        await self.quiet()

    def pods(self) -> list[Object]:
        """The pods that are not on their way out, in order of their names."""
        return [each for each in self.api.list("pods") if "deletionTimestamp" not in each["metadata"]]

    def images(self) -> list[str]:
        """The images of these pods."""
        return sorted(each["spec"]["containers"][0]["image"] for each in self.pods())

    def sizes(self) -> list[int]:
        """`spec.replicas` of every ReplicaSet, the largest first."""
        return sorted((each["spec"]["replicas"] for each in self.api.list("replicasets")), reverse=True)

    def status(self, resource: str = "deployments", name: str = "web") -> Mapping[str, Any]:
        """The status of a workload."""
        found: Mapping[str, Any] = self.api.get(resource, "default", name)["status"]
        return found

    async def bind(self, pod: Object, node: str = "ec2-0") -> None:
        """Play the scheduler."""
        await self.api.bind("default", pod["metadata"]["name"], node)

    async def report(self, pod: Object, *, phase: str = "Running", ready: bool = True) -> None:
        """Play the kubelet: the pod's phase and readiness."""
        now = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": now}
        status = {"phase": phase, "conditions": [condition]}
        name = pod["metadata"]["name"]
        await self.api.patch(
            "pods", "default", name, {"status": status}, kind="strategic", subresource="status"
        )

    async def run_all(self, node: str = "ec2-0") -> None:
        """Schedule and start every pod that waits, and let those go that are deleted."""
        for pod in self.api.list("pods"):
            if "deletionTimestamp" in pod["metadata"]:
                await self.api.delete("pods", "default", pod["metadata"]["name"], grace_seconds=0)
            elif not pod["spec"].get("nodeName"):
                await self.bind(pod, node)
                await self.report(pod)
        await self.quiet()


def a_workload(kind: str, name: str, image: str, spec: Mapping[str, Any]) -> Object:
    """A Deployment or DaemonSet whose pods carry the label app=NAME."""
    labels = {"app": name}
    more = dict(spec.get("pod") or {})
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "main", "image": image}], **more},
    }
    rest = {key: value for key, value in spec.items() if key != "pod"}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **rest},
    }


def conditions_of(status: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """(status, reason) of each condition by its type."""
    return {each["type"]: (each["status"], each.get("reason", "")) for each in status["conditions"]}
