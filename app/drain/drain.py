"""Brings all overflow to an end: looks, decides, carries out, and looks again until nothing is left."""

from collections.abc import Mapping
from typing import assert_never

import msgspec

from app.drain.commands import Close, Command, Delete, Evict, Stop
from app.drain.config import DrainConfig
from app.drain.decision import Plan, decide, needs_tasks
from app.drain.facts import Facts, Hold, Left, Memory, Proof
from app.drain.left import warnings_of
from app.drain.outside import Outside, Tell
from app.drain.proof import Prover
from app.drain.standing import CLOSED, counted_by, is_closed, is_leaving, opening_of, owner_text, stands
from app.model.names import GATE
from app.model.node import Node
from app.model.pod import Pod, controller_of
from app.model.replicas import Replicas
from app.ports.failures import DisruptionBudget, NotFound, PortFailure, Refused


class Drained(msgspec.Struct, frozen=True, kw_only=True):
    """How a drain stands.

    Attributes:
        nodes: the virtual nodes that were met.
        evicted: pods that were asked to leave.
        stopped: tasks that were stopped from here.
        left: what still stands.
        unproven: why it is not known whether tasks are left, with the mend; empty where it is.
    """

    nodes: tuple[str, ...] = ()
    evicted: int = 0
    stopped: int = 0
    left: tuple[Left, ...] = ()
    unproven: str = ""


class Drain:
    """One drain; `run` may be cancelled anywhere, and begun again."""

    def __init__(self, outside: Outside, *, config: DrainConfig, tell: Tell) -> None:
        self._outside = outside
        self._config = config
        self._tell = tell
        self._prover = Prover(outside, config=config)
        self._memory = Memory()
        self._losers: dict[str, Pod] = {}
        self._nodes: set[str] = set()
        self._closed: set[str] = set()
        self._evicted: set[str] = set()
        self._stopped: set[str] = set()
        self._said: set[str] = set()
        self._began = outside.clock.steady()

    @property
    def nodes(self) -> tuple[str, ...]:
        """The virtual nodes that were met so far, and those that were named."""
        return tuple(sorted(self._nodes | self._config.nodes))

    @property
    def closed(self) -> tuple[str, ...]:
        """Those that nothing lands on any more, by this drain or one before."""
        return tuple(sorted(self._closed))

    async def look(self) -> Drained:
        """What stands now; nothing is changed.

        Raises:
            PortFailure: Kubernetes could not be read.
        """
        facts = await self._facts(everything=True)
        self._tell_of_absent(facts)
        return self._outcome(facts, decide(facts, self._memory, self._config))

    async def run(self) -> Drained:
        """Until nothing is left, or time is up.

        Raises:
            PortFailure: Kubernetes could not be read at the beginning, or not until the end.
            Refused: the gate may not be closed.
        """
        facts = await self._facts()
        self._tell_of_absent(facts)
        while True:
            plan = decide(facts, self._memory, self._config)
            self._memory = plan.memory
            if plan.is_over:
                return self._outcome(facts, plan)
            for command in plan.commands:
                await self._tried(command)
            self._progress(facts, plan)
            facts = await self._next()

    def _tell_of_absent(self, facts: Facts) -> None:
        """It may be so, as after a removal; or somebody mistook the name, or the cluster."""
        for name in sorted(self._config.nodes - {node.name for node in facts.nodes}):
            self._tell(f"node {name}: there is no virtual node of that name")
        if not facts.nodes and not self._config.nodes:
            self._tell("there is no virtual node in this cluster")

    async def _next(self) -> Facts:
        """The next look that succeeds."""
        while True:
            await self._outside.clock.sleep(self._config.look)
            try:
                return await self._facts()
            except Refused:
                raise
            except PortFailure as failure:
                if self._elapsed() >= self._config.end:
                    raise
                self._once(f"Kubernetes does not answer: {failure}; asked again")

    def _elapsed(self) -> float:
        return self._outside.clock.steady() - self._began

    async def _facts(self, *, everything: bool = False) -> Facts:
        """One look. Pods are read after the tasks: then a task whose pod is not seen has lost it."""
        standing = self._outside.standing
        found = await standing.nodes()
        nodes = tuple(each for each in found if not self._config.nodes or each.name in self._config.nodes)
        self._nodes |= {node.name for node in nodes}
        self._closed |= {node.name for node in nodes if is_closed(node)}
        names = sorted(self._nodes | self._config.nodes)
        pods = [pod for name in names for pod in await standing.pods(name)]
        elapsed = self._elapsed()
        proof = Proof()
        if everything or needs_tasks(pods, elapsed, self._config):
            proof = await self._prover.tasks()
            names = sorted({*names, *(each.identity.node for each in proof.tasks or () if each.identity)})
            pods = [pod for name in names for pod in await standing.pods(name)]
        return Facts(
            elapsed=elapsed,
            took=self._elapsed() - elapsed,
            nodes=nodes,
            pods=tuple(pods),
            replicas=await self._replicas(),
            proof=proof,
        )

    async def _replicas(self) -> Mapping[str, Replicas]:
        found: dict[str, Replicas] = {}
        for uid in self._memory.gaps:
            pod = self._losers[uid]
            owner = controller_of(pod)
            if owner is None:
                continue
            try:
                found[uid] = await self._outside.evictions.replicas(pod.metadata.namespace, owner)
            except NotFound:
                continue
            except Refused as failure:
                self._once(f"{owner.kind} {owner.name} is not waited for: {failure}")
        return found

    async def _tried(self, command: Command) -> None:
        """Carry a command out; where it fails, the next look shows what is to be done."""
        try:
            await self._apply(command)
        except PortFailure as failure:
            if isinstance(command, Close) and isinstance(failure, Refused):
                raise  # while the gate is open, whoever is evicted comes back
            if isinstance(command, Evict | Delete):
                self._stays(command.pod, failure)
            elif not isinstance(failure, NotFound):
                self._once(str(failure))

    async def _apply(self, command: Command) -> None:
        match command:
            case Close():
                await self._close(command.node)
            case Evict():
                await self._evict(command.pod)
            case Delete():
                await self._outside.departures.delete(command.pod, at_once=command.at_once)
                how = "at once, whether or not its node knows" if command.at_once else "by force"
                self._tell(f"pod {command.pod.key}: deleted {how}")
            case Stop():
                await self._stop(command)
            case _:
                assert_never(command)

    async def _close(self, node: Node) -> None:
        """Once more where somebody opened it meanwhile: then it is told who, as far as that shows."""
        seen = await self._opening(node) if node.name in self._closed else ""
        if seen:
            reopened = {**self._memory.reopened, node.name: seen}
            self._memory = msgspec.structs.replace(self._memory, reopened=reopened)
        await self._outside.departures.close(node)
        self._closed.add(node.name)
        again = f"opened again by somebody: {seen}; " if seen else ""
        self._once(f"node {node.name}: {again}gate closed, cordoned")

    async def _opening(self, node: Node) -> str:
        try:
            writer = await self._outside.standing.gate_writer(node.name)
        except PortFailure:
            writer = ""  # who it was is an extra; that it was opened shows on the node
        gate = node.metadata.annotations.get(GATE, "")
        by = f" (written by {writer})" if writer and gate not in {"", CLOSED} else ""
        return f"{opening_of(node)}{by}"

    async def _evict(self, pod: Pod) -> None:
        owner = controller_of(pod)
        if owner is not None and counted_by(pod):
            self._losers[owner.uid] = pod
        await self._outside.evictions.evict(pod)
        self._evicted.add(pod.uid)
        of = f" ({owner_text(pod)})" if owner is not None else ""
        self._tell(f"pod {pod.key}{of}: evicted")
        for warning in warnings_of(pod):
            self._once(warning)

    def _stays(self, pod: Pod, failure: PortFailure) -> None:
        """It stays for now, or is gone by itself: nobody is waited for in its place."""
        gaps = {uid: gap for uid, gap in self._memory.gaps.items() if gap.uid != pod.uid}
        self._memory = msgspec.structs.replace(self._memory, gaps=gaps)
        if isinstance(failure, NotFound):
            return
        hold = Hold(str(failure), self._elapsed(), by_budget=isinstance(failure, DisruptionBudget))
        self._memory = msgspec.structs.replace(self._memory, holds={**self._memory.holds, pod.uid: hold})
        self._once(f"pod {pod.key}: held: {failure}")

    async def _stop(self, command: Stop) -> None:
        if self._outside.aws is None:
            return
        await self._outside.aws.tasks.stop(command.arn, reason=command.reason)
        self._stopped.add(command.arn)
        self._once(f"task {command.arn}: told to stop")

    def _progress(self, facts: Facts, plan: Plan) -> None:
        standing = [pod for pod in facts.pods if stands(pod)]
        leaving = sum(is_leaving(pod) for pod in standing)
        tasks = "" if facts.tasks is None else f", {len(facts.tasks)} of our tasks in ECS"
        line = f"{len(standing)} overflow pods ({leaving} leaving){tasks}"
        if facts.proof.unproven:
            line += f"; ECS cannot be asked: {facts.proof.unproven}"
        if not plan.left:
            line += "; nothing is left, looking again"
        self._once(line)

    def _once(self, line: str) -> None:
        """Tell, unless it was told."""
        if line not in self._said:
            self._said.add(line)
            self._tell(line)

    def _outcome(self, facts: Facts, plan: Plan) -> Drained:
        unproven = ""
        if facts.tasks is None and self._config.asks_aws:
            said = facts.proof.unproven or "ECS was not asked: pods are left"
            unproven = "; ".join(part for part in (said, facts.proof.mend) if part)
        return Drained(
            nodes=self.nodes,
            evicted=len(self._evicted),
            stopped=len(self._stopped),
            left=plan.left,
            unproven=unproven,
        )
