"""A cluster and an ECS around a drain, with a bridge that ends what was told to go, unless it is away."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from app.drain.outside import Aws, Outside
from app.model.meta import OwnerReference
from app.model.names import GATE, TaskArn
from app.model.node import Node
from app.model.pod import Pod
from app.model.replicas import Replicas
from app.model.task import Launch, Task
from app.ports.failures import DisruptionBudget, NotFound, PortFailure
from app.ports.leaving import Claimed
from app.ports.tasks import Described
from app.ports.vault import Kept
from tests.builders import NOON, VIRTUAL, a_pod, a_task, a_virtual_node, identity_of, owned_by
from tests.fakes import VirtualClock

CLUSTER = "cluster-1"
BRIDGE = "bridge-0"
LEAVING_TAKES = 2.0
"""Seconds from an eviction until the bridge has stopped the task and removed the pod."""


def an_overflow_pod(name: str = "web-1", *, owner: str = "ReplicaSet", **fields: Any) -> Pod:
    """A pod that runs on the virtual node; `owner` is its controller's kind, empty for a bare pod."""
    meta = {**(owned_by(owner) if owner else {}), **fields.pop("metadata", {})}
    status = {"containerStatuses": [{"name": "main"}]}
    return a_pod(name, node=VIRTUAL, phase="Running", metadata=meta, status=status, **fields)


def its_task(pod: Pod, **fields: Any) -> Task:
    """The pod's task, which runs."""
    return a_task(pod, identity=identity_of(pod), **fields)


class FakeCluster:
    """Kubernetes, ECS and Secrets Manager as a drain sees them; it launches and stores nothing."""

    def __init__(self, clock: VirtualClock, *pods: Pod, tasks: Sequence[Task] | None = None) -> None:
        self.clock = clock
        self.node: Node | None = a_virtual_node()
        self.there: dict[str, Pod] = {pod.uid: pod for pod in pods}
        found = tasks if tasks is not None else [its_task(pod) for pod in pods]
        self.tasks: dict[str, Task] = {task.arn: task for task in found}
        self.leases = {VIRTUAL: BRIDGE}
        self.gate_lease = True
        self.entries: list[Kept] = []
        self.gate_writers = ""
        self.hangs = 0.0
        self.waiting: list[Pod] = []
        self.budgets: set[str] = set()
        self.refusals: dict[str, PortFailure] = {}
        self.ready: Replicas | None = Replicas(wanted=2, ready=2)
        self.bridge = True
        self.failure: PortFailure | None = None
        self.aws_failure: PortFailure | None = None
        self.undescribed: set[str] = set()
        self.did: list[tuple[str, str]] = []
        self._gone: dict[str, float] = {}

    def outside(self, *, aws: bool = True) -> Outside:
        return Outside(
            standing=self,
            departures=self,
            evictions=self,
            clock=self.clock,
            aws=Aws(tasks=self, vault=self) if aws else None,
            no_aws="" if aws else "there are no credentials",
        )

    def named(self, verb: str) -> list[str]:
        """The names of what was done so."""
        return [name for did, name in self.did if did == verb]

    async def nodes(self) -> tuple[Node, ...]:
        self._pass()
        if self.failure is not None:
            raise self.failure
        return (self.node,) if self.node is not None else ()

    async def gate_writer(self, node: str) -> str:
        self._refuse(f"writers of {node}")
        return self.gate_writers

    async def pods(self, node: str) -> tuple[Pod, ...]:
        self._pass()
        return tuple(pod for pod in self.there.values() if pod.spec.node_name == node)

    async def placeholders(self) -> tuple[Pod, ...]:
        return tuple(self.waiting)

    async def claims(self) -> tuple[Claimed, ...]:
        return tuple(Claimed(name, holder) for name, holder in self.leases.items())

    async def close(self, node: Node) -> None:
        self._refuse(node.name)
        meta = msgspec.structs.replace(node.metadata, annotations={GATE: "closed"})
        spec = msgspec.structs.replace(node.spec, unschedulable=True)
        self.node = msgspec.structs.replace(node, metadata=meta, spec=spec)
        self.did.append(("close", node.name))

    async def evict(self, pod: Pod) -> None:
        self.did.append(("evict", pod.metadata.name))
        self._refuse(pod.metadata.name)
        if pod.metadata.name in self.budgets:
            raise DisruptionBudget("The disruption budget all needs 2 healthy pods and has 2 currently")
        self._leave(pod)

    async def delete(self, pod: Pod, *, at_once: bool) -> None:
        self.did.append(("delete at once" if at_once else "delete", pod.metadata.name))
        self._refuse(pod.metadata.name)
        if not at_once:
            self._leave(pod)
            return
        self.there.pop(pod.uid, None)
        self.waiting = [each for each in self.waiting if each.uid != pod.uid]

    async def replicas(self, namespace: str, controller: OwnerReference) -> Replicas:
        if self.ready is None:
            raise NotFound(f"{namespace}/{controller.name} is gone")
        return self.ready

    async def claim(self, node: str, *, holder: str, seconds: int) -> None:
        self.did.append(("claim", f"{node} for {seconds} s"))
        self.leases[node] = holder

    async def remove_node(self, node: Node) -> None:
        self.did.append(("remove node", node.name))
        self.node = None
        if self.bridge and self.leases.get(node.name) in {None, BRIDGE}:
            self.node = a_virtual_node()

    async def remove_lease(self, namespace: str, name: str) -> None:
        self.did.append(("remove lease", f"{namespace}/{name}"))
        self.leases.pop(name, None)

    async def remove_priority(self, name: str) -> bool:
        self.did.append(("remove priority", name))
        return True

    async def arns(self, desired: Literal["RUNNING", "STOPPED"]) -> tuple[TaskArn, ...]:
        await self.clock.sleep(self.hangs)
        if self.aws_failure is not None:
            raise self.aws_failure
        return tuple(task.arn for task in self.tasks.values() if task.desired_status == desired)

    async def describe(self, arns: Sequence[TaskArn]) -> Described:
        self.did.append(("describe", str(len(arns))))
        found = tuple(self.tasks[arn] for arn in arns if arn not in self.undescribed)
        return Described(found, tuple(arn for arn in arns if arn in self.undescribed))

    async def stop(self, arn: TaskArn, *, reason: str) -> None:
        self.did.append(("stop", arn))
        self._stopped(arn)

    async def run(self, launch: Launch, *, definition_arn: str) -> Task:
        raise AssertionError(f"a drain launches {definition_arn} for {launch.started_by}")

    async def keep(self, name: str, content: Mapping[str, str]) -> str:
        raise AssertionError(f"a drain stores {name} of {sorted(content)}")

    async def read(self, arn: str) -> dict[str, str]:
        raise AssertionError(f"a drain reads {arn}")

    async def kept(self) -> tuple[Kept, ...]:
        return tuple(self.entries)

    async def forget(self, arn: str) -> None:
        self.entries = [each for each in self.entries if each.arn != arn]

    def an_entry(self, name: str) -> None:
        """An entry of Secrets Manager."""
        self.entries.append(Kept(name=name, arn=f"arn:{name}", created_at=NOON))

    def _refuse(self, name: str) -> None:
        if name in self.refusals:
            raise self.refusals[name]

    def _leave(self, pod: Pod) -> None:
        meta = msgspec.structs.replace(self.there[pod.uid].metadata, deletion_timestamp=self.clock.now())
        self.there[pod.uid] = msgspec.structs.replace(self.there[pod.uid], metadata=meta)
        self._gone[pod.uid] = self.clock.steady() + LEAVING_TAKES

    def _pass(self) -> None:
        """The bridge has ended what was told to go long enough ago."""
        due = [uid for uid, at in self._gone.items() if self.bridge and at <= self.clock.steady()]
        for uid in due:
            del self._gone[uid]
            self.there.pop(uid, None)
            for task in list(self.tasks.values()):
                if task.identity is not None and task.identity.uid == uid:
                    self._stopped(task.arn)

    def _stopped(self, arn: str) -> None:
        over = {"last_status": "STOPPED", "desired_status": "STOPPED"}
        self.tasks[arn] = msgspec.structs.replace(self.tasks[arn], **over)


async def finished(clock: VirtualClock, work: Any, *, within: int = 2000) -> Any:
    """What the work returns, time passing meanwhile."""
    task = asyncio.ensure_future(work)
    for _ in range(within):
        await clock.advance(1)
        if task.done():
            return task.result()
    raise AssertionError("it does not end")
