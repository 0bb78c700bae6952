"""Nodes without machines: registered, kept Ready, and their pods reported as running, through the ports only.

They stand in for a cluster's real nodes, on the embedded and on a real control plane alike. Nothing runs:
a pod "runs" until it is deleted, or for as many seconds as its annotation says.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from app.model.names import ARCH_LABEL, OS_LABEL, REGION_LABEL, ZONE_LABEL, PodUid
from app.model.node import Node, is_ready
from app.model.pod import Json, Pod, condition, is_terminal
from app.ports.clock import Clock
from app.ports.failures import Conflict, NotFound, PortFailure, Refused
from app.ports.kubernetes import Leases, Nodes, Pods
from app.ports.watched import Watched

RUN_SECONDS: Final = "local.spillway.dev/run-seconds"
"""Pod annotation: the fake containers end with exit code 0 after so many seconds."""

MANAGER: Final = "fake-kubelet"

_LEASES: Final = "kube-node-lease"
_HEARTBEAT: Final = 10.0
_LEASE_SECONDS: Final = 40
_START_TAKES: Final = 0.2
_RETRY: Final = 1.0
_PRESSURES: Final = ("MemoryPressure", "DiskPressure", "PIDPressure")


class FakeNode(msgspec.Struct, frozen=True, kw_only=True):
    """One node; quantities as Kubernetes writes them."""

    name: str
    cpu: str = "2"
    memory: str = "4Gi"
    zone: str = "us-east-1a"
    pods: int = 110


class FakeKubelets:
    """The kubelets of all fake nodes."""

    def __init__(
        self,
        nodes: tuple[FakeNode, ...],
        *,
        nodes_api: Nodes,
        pods_api: Pods,
        leases: Leases,
        pods: Watched[Pod],
        clock: Clock,
    ) -> None:
        """Nothing is registered yet; `pods` must be run by whoever made it."""
        self._nodes = {node.name: node for node in nodes}
        self._nodes_api = nodes_api
        self._pods_api = pods_api
        self._leases = leases
        self._pods = pods
        self._clock = clock
        self._addresses = itertools.count(1)
        self._lives: dict[PodUid, asyncio.Task[None]] = {}
        self._ending: set[PodUid] = set()

    async def run(self) -> None:
        """Register the nodes and serve them until cancelled; the Nodes stay behind."""
        self._pods.on_change(self._see)
        try:
            async with asyncio.TaskGroup() as group:
                for node in self._nodes.values():
                    group.create_task(self._keep_ready(node))
                await self._pods.synced()
                for pod in self._pods.all():
                    self._see(None, pod)
        finally:
            for life in self._lives.values():
                life.cancel()

    async def _keep_ready(self, fake: FakeNode) -> None:
        while True:
            with suppress(PortFailure):  # the next heartbeat tries again, as a kubelet does
                await self._heartbeat(fake)
            await self._clock.sleep(_HEARTBEAT)

    async def _heartbeat(self, fake: FakeNode) -> None:
        try:
            node = await self._nodes_api.get(fake.name)
        except NotFound:
            node = await self._register(fake)
        if not is_ready(node):
            node = await self._nodes_api.apply_status(
                status_manifest(fake, now=self._clock.now()), manager=MANAGER
            )
        await self._leases.renew(_LEASES, fake.name, holder=fake.name, seconds=_LEASE_SECONDS, owner=node)

    async def _register(self, fake: FakeNode) -> Node:
        try:
            return await self._nodes_api.create(node_manifest(fake))
        except Conflict:
            return await self._nodes_api.get(fake.name)

    def _see(self, before: Pod | None, after: Pod | None) -> None:
        pod = after or before
        if pod is None or pod.spec.node_name not in self._nodes:
            return
        if after is None:
            self._forget(pod.uid)
        elif after.metadata.deletion_timestamp is not None:
            self._end(after)
        elif not is_terminal(after) and self._is_news(before, after):
            self._forget(pod.uid)
            self._begin(pod.uid, self._live(after))

    def _is_news(self, before: Pod | None, after: Pod) -> bool:
        """A pod that was not here before, or one that somebody else declared unready: it is told anew."""
        if after.uid not in self._lives:
            return True
        return before is not None and _says_ready(before) and not _says_ready(after)

    def _begin(self, uid: PodUid, work: Coroutine[None, None, None]) -> None:
        self._lives[uid] = asyncio.get_running_loop().create_task(work)

    def _end(self, pod: Pod) -> None:
        if pod.uid in self._ending:
            return
        self._forget(pod.uid)
        self._ending.add(pod.uid)
        self._begin(pod.uid, self._die(pod))

    def _forget(self, uid: PodUid) -> None:
        self._ending.discard(uid)
        life = self._lives.pop(uid, None)
        if life is not None:
            life.cancel()

    async def _live(self, pod: Pod) -> None:
        started = pod.status.start_time
        if pod.status.phase != "Running" or started is None:
            await self._clock.sleep(_START_TAKES)
            started = self._clock.now()
        if not _says_ready(pod):
            address = pod.status.pod_ip or self._address()
            status = running(pod, started=started, now=self._clock.now(), address=address)
            await self._report(pod, status)
        seconds = run_seconds(pod)
        if seconds is not None:
            left = started + timedelta(seconds=seconds) - self._clock.now()
            await self._clock.sleep(left.total_seconds())
            await self._report(pod, ended(pod, began=started, now=self._clock.now()))

    async def _die(self, pod: Pod) -> None:
        if not is_terminal(pod):
            now = self._clock.now()
            await self._report(pod, ended(pod, began=pod.status.start_time or now, now=now))
        await self._insist(lambda: self._pods_api.remove(pod))

    async def _report(self, pod: Pod, status: dict[str, Json]) -> None:
        await self._insist(lambda: self._pods_api.set_status(pod, status))

    async def _insist(self, call: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await call()
            except (NotFound, Conflict, Refused):
                return  # the pod is gone, or the API server will never take this
            except PortFailure:
                await self._clock.sleep(_RETRY)
            else:
                return

    def _address(self) -> str:
        number = next(self._addresses)
        return f"10.1.{number // 250 % 250}.{number % 250 + 1}"


def node_manifest(fake: FakeNode) -> dict[str, Json]:
    """The Node as a kubelet on EC2 registers it."""
    labels = {
        OS_LABEL: "linux",
        ARCH_LABEL: "amd64",
        "kubernetes.io/hostname": fake.name,
        "node.kubernetes.io/instance-type": "m5.large",
        REGION_LABEL: fake.zone[:-1],
        ZONE_LABEL: fake.zone,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": fake.name, "labels": labels},
        "spec": {"providerID": f"aws:///{fake.zone}/i-{fake.name}"},
    }


def status_manifest(fake: FakeNode, *, now: datetime) -> dict[str, Json]:
    """The status of a healthy node, for server-side apply."""
    room = {"cpu": fake.cpu, "memory": fake.memory, "pods": str(fake.pods), "ephemeral-storage": "100Gi"}
    info = {
        "kubeletVersion": "v1.36.0",
        "containerRuntimeVersion": "fake://1",
        "operatingSystem": "linux",
        "architecture": "amd64",
        **dict.fromkeys(
            ("machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "kubeProxyVersion"), ""
        ),
    }
    conditions = [
        *(_condition(kind, now, status="False", reason="Sufficient") for kind in _PRESSURES),
        _condition("Ready", now, status="True", reason="KubeletReady"),
    ]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": fake.name},
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": [{**each, "lastHeartbeatTime": _stamp(now)} for each in conditions],
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "nodeInfo": info,
        },
    }


def running(pod: Pod, *, started: datetime, now: datetime, address: str) -> dict[str, Json]:
    """The status of a pod whose containers all run since `started`, and are ready since now."""
    state = {"running": {"startedAt": _stamp(started)}}
    kinds = ("PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")
    return {
        "phase": "Running",
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": _stamp(started),
        "conditions": [_condition(kind, now, status="True") for kind in kinds],
        "containerStatuses": _container_statuses(pod, state, ready=True),
    }


def ended(pod: Pod, *, began: datetime, now: datetime) -> dict[str, Json]:
    """The status of a pod whose containers all ended well."""
    over = {"exitCode": 0, "reason": "Completed", "startedAt": _stamp(began), "finishedAt": _stamp(now)}
    kinds = ("ContainersReady", "Ready")
    return {
        "phase": "Succeeded",
        "conditions": [_condition(kind, now, status="False", reason="PodCompleted") for kind in kinds],
        "containerStatuses": _container_statuses(pod, {"terminated": over}, ready=False),
    }


def run_seconds(pod: Pod) -> float | None:
    """How long the pod's containers run; None for ever, which an unreadable annotation means as well."""
    try:
        return max(0.0, float(pod.metadata.annotations[RUN_SECONDS]))
    except (KeyError, ValueError):
        return None


def _says_ready(pod: Pod) -> bool:
    ready = condition(pod, "Ready")
    return ready is not None and ready.status == "True"


def _container_statuses(pod: Pod, state: dict[str, Json], *, ready: bool) -> list[Json]:
    return [
        {
            "name": container.name,
            "image": container.image,
            "imageID": container.image,
            "containerID": f"fake://{pod.uid}/{container.name}",
            "ready": ready,
            "started": ready,
            "restartCount": 0,
            "state": state,
        }
        for container in pod.spec.containers
    ]


def _condition(kind: str, now: datetime, *, status: str, reason: str = "") -> dict[str, Json]:
    condition = {"type": kind, "status": status, "lastTransitionTime": _stamp(now)}
    return condition | ({"reason": reason} if reason else {})


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
