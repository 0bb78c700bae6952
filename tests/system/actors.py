"""What the system tests do to a stack, as short sentences."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from app.kube.transport import JSON
from app.local.fargate.oracle.tally import Tally, tally
from app.model.names import OVERFLOW
from app.model.node import Node
from app.model.pod import Pod
from app.ports.clock import Clock
from app.ports.failures import NotFound
from app.wiring.local.programs import NODE
from app.wiring.local.stack import LocalStack

_serial = itertools.count(1)
PATIENCE_SECONDS = 120.0
"""Before a test gives up; it costs nothing where all is well, and says nothing of how fast it is."""

PRINTING = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for n in range(10**6):
    print("line", n, flush=True)
    time.sleep(0.2)
"""
WORKER = ["python3", "-u", "-c", PRINTING]


class PodList(msgspec.Struct, frozen=True):
    """A list of pods on the wire."""

    items: tuple[Pod, ...]


class Actors:
    """Namespaces, workloads and looks."""

    def __init__(self, stack: LocalStack, *, clock: Clock) -> None:
        self.stack = stack
        self._clock = clock
        self._namespaces: list[str] = []

    async def namespace(self, *, overflow: str = "") -> str:
        """A fresh namespace, opted in with the given word or not at all."""
        name = f"test-{next(_serial)}"
        labels = {OVERFLOW: overflow} if overflow else {}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        await self.request("POST", "/api/v1/namespaces", body)
        self._namespaces.append(name)
        await self.until_so(f"the account of {name}", lambda: self._has_account(name))
        return name

    async def request(self, method: str, path: str, body: Any = None, *, content_type: str = JSON) -> Any:
        """A request of the cluster admin."""
        connection = self.stack.connection
        return json.loads(await connection.request(method, path, body=body, content_type=content_type))

    async def deployment(self, namespace: str, *, replicas: int, cpu: str = "500m", **spec: Any) -> None:
        """A Deployment `web` of workers; further keyword arguments are fields of the pod's spec."""
        container = {
            "name": "main",
            "image": "python:3.13-slim",
            "command": WORKER,
            "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}},
        }
        template = {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [container],
                "terminationGracePeriodSeconds": 2,
                # Without a token they need no helper: what these tests start by the dozen stays cheap.
                "automountServiceAccountToken": False,
                **spec,
            },
        }
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "template": template,
            },
        }
        await self.request("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", body)

    async def scale(self, namespace: str, replicas: int) -> None:
        """Scale the Deployment `web`."""
        await self.request(
            "PATCH",
            f"/apis/apps/v1/namespaces/{namespace}/deployments/web",
            {"spec": {"replicas": replicas}},
            content_type="application/merge-patch+json",
        )

    async def pod(self, namespace: str, name: str, script: str, **fields: Any) -> Any:
        """A pod that runs a Python script and is not restarted."""
        container = {
            "name": "main",
            "image": "python:3.13-slim",
            "command": ["python3", "-u", "-c", script],
            "resources": {"requests": {"cpu": "500m", "memory": "64Mi"}},
            **fields.pop("container", {}),
        }
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name} | {k: fields.pop(k, {}) for k in ("labels", "annotations")},
            "spec": {
                "containers": [container],
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 2,
                "automountServiceAccountToken": False,
                **fields,
            },
        }
        return await self.request("POST", f"/api/v1/namespaces/{namespace}/pods", body)

    async def pods(self, namespace: str) -> Sequence[Pod]:
        """The namespace's pods."""
        data = await self.stack.connection.request("GET", f"/api/v1/namespaces/{namespace}/pods")
        return msgspec.json.decode(data, type=PodList).items

    async def until(self, namespace: str, what: str, holds: Callable[[Sequence[Pod]], bool]) -> Sequence[Pod]:
        """The namespace's pods, once it holds."""
        seen: Sequence[Pod] = ()

        async def look() -> bool:
            nonlocal seen
            seen = await self.pods(namespace)
            return holds(seen)

        await self.until_so(what, look, shown=lambda: [_line(pod) for pod in seen])
        return seen

    async def events(self, namespace: str) -> list[tuple[str, str]]:
        """(reason, message) of the namespace's Events."""
        found = await self.request("GET", f"/api/v1/namespaces/{namespace}/events")
        return [(each["reason"], each["message"]) for each in found["items"]]

    async def until_told(self, namespace: str, reason: str) -> str:
        """The message of an Event with this reason, once there is one."""
        told: dict[str, str] = {}

        async def look() -> bool:
            told.update(await self.events(namespace))
            return reason in told

        await self.until_so(f"an Event {reason}", look, shown=lambda: told)
        return told[reason]

    async def virtual_node(self) -> Node:
        """The virtual node, as the API server has it."""
        data = await self.stack.connection.request("GET", f"/api/v1/nodes/{NODE}")
        return msgspec.json.decode(data, type=Node)

    async def pass_time(self, seconds: float) -> None:
        """Let the stack go on; for showing that something does not happen."""
        await self._clock.sleep(seconds)

    @contextlib.asynccontextmanager
    async def without(self, program: str) -> AsyncIterator[None]:
        """The time in which a program is dead: SIGKILL before, up again after, whatever happens."""
        await self.stack.kill_program(program)
        try:
            yield
        finally:
            await self.stack.start_program(program)
            await self.stack.until_ready(program)

    async def delete_by_force(self, pod: Pod) -> None:
        """Delete with grace 0: the object goes at once, nobody waits for the node."""
        path = f"/api/v1/namespaces/{pod.metadata.namespace}/pods/{pod.metadata.name}"
        await self.request("DELETE", path, {"gracePeriodSeconds": 0})

    async def kubectl(self, *arguments: str) -> tuple[int, str, str]:
        """Real kubectl; its exit code, output and complaints."""
        process = await asyncio.create_subprocess_exec(
            "kubectl",
            "--kubeconfig",
            str(self.stack.kubeconfig),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def kubectl_apply(self, manifest: str) -> tuple[int, str, str]:
        """`kubectl apply -f` of a manifest."""
        path = self.stack.options.directory / f"manifest-{next(_serial)}.json"
        path.write_text(manifest)
        return await self.kubectl("apply", "-f", str(path))

    async def daemon_set(self, namespace: str, **spec: Any) -> None:
        """A DaemonSet `agent`; further keyword arguments are fields of the pod's spec."""
        container = {"name": "agent", "image": "agent:1", "resources": {"requests": {"cpu": "100m"}}}
        labels = {"app": "agent"}
        body = {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "agent"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}},
            },
        }
        await self.request("POST", f"/apis/apps/v1/namespaces/{namespace}/daemonsets", body)

    async def until_launched(self, launches: int) -> None:
        """Wait until so many tasks came into being since the stack began."""

        async def enough() -> bool:
            return self.truth().launches >= launches

        await self.until_so(f"{launches} launches", enough)

    async def until_closed(self) -> None:
        """Wait until the virtual node has no room at all."""

        async def closed() -> bool:
            room = (await self.virtual_node()).status.allocatable
            return (room["pods"], room["cpu"]) == ("0", "1m")

        await self.until_so("the gate to close", closed)

    async def until_virtual(self, holds: Callable[[Node], bool]) -> Node:
        """The virtual node, once it holds of it; the bridge looks at it every ten seconds."""

        async def look() -> bool:
            return holds(await self.virtual_node())

        await self.until_so("the virtual node to be restored", look)
        return await self.virtual_node()

    async def stop_program(self, program: str) -> None:
        """SIGTERM, as Kubernetes ends a pod; returns when the program is gone."""
        await self.stack.programs.pop(program).stop(clock=self._clock)

    def adopt(self, namespace: str) -> None:
        """Clean up this namespace too, though somebody else made it."""
        self._namespaces.append(namespace)

    def truth(self) -> Tally:
        """What really happened on Fargate, from its journal."""
        return tally(self.stack.fargate.journal.since())

    async def until_no_task_is_left(self) -> None:
        """Wait for the last task to stop."""
        await self.until_so("the last task to stop", self._none_left)

    async def leave(self) -> None:
        """Delete the namespaces and wait until nothing of them runs anywhere."""
        for name in self._namespaces:
            for kind in ("deployments", "daemonsets"):
                await self.stack.connection.request("DELETE", f"/apis/apps/v1/namespaces/{name}/{kind}")
            await self.stack.connection.request("DELETE", f"/api/v1/namespaces/{name}")
            await self.until(name, f"{name} to be empty", lambda pods: not pods)
        await self.until_no_task_is_left()

    async def _none_left(self) -> bool:
        return self.truth().left == 0

    async def _has_account(self, namespace: str) -> bool:
        try:
            await self.request("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
        except NotFound:
            return False
        return True

    async def until_so(
        self,
        what: str,
        holds: Callable[[], Any],
        *,
        shown: Callable[[], object] = lambda: "",
    ) -> None:
        deadline = self._clock.steady() + PATIENCE_SECONDS
        while not await holds():
            assert self._clock.steady() < deadline, f"waited {PATIENCE_SECONDS:.0f} s for {what}: {shown()}"
            await self._clock.sleep(0.1)


def on_fargate(pods: Sequence[Pod]) -> list[Pod]:
    """Those bound to the virtual node."""
    return [pod for pod in pods if pod.spec.node_name == NODE]


def on_nodes(pods: Sequence[Pod]) -> list[Pod]:
    """Those bound to real nodes."""
    return [pod for pod in pods if pod.spec.node_name not in {"", NODE}]


def running(pods: Sequence[Pod]) -> list[Pod]:
    """Those that run, and are not being deleted."""
    return [p for p in pods if p.status.phase == "Running" and p.metadata.deletion_timestamp is None]


def _line(pod: Pod) -> str:
    said = "; ".join(f"{each.type}={each.status} {each.message}" for each in pod.status.conditions)
    return f"{pod.key} {pod.status.phase} on {pod.spec.node_name or 'no node'} ({said})"
