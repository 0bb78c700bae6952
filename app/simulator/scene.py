"""What the gate is shown of the virtual cluster: `Facts`, brought up to date node by node."""

from collections.abc import Mapping, Sequence

from app.extender.cluster.facts import NOTHING_LEARNED, Coming, Facts, Learned, RealNode
from app.extender.decision.budget import NO_LIMITS
from app.model.names import PodUid
from app.model.offer import VcpuQuota
from app.model.pod import Pod
from app.simulator.autoscaler import Asked, Autoscaler
from app.simulator.config import SimulationConfig
from app.simulator.machine import Machine
from app.simulator.stand_ins import VIRTUAL_NODE, RealNodes, moment, namespaces, virtual_node
from app.simulator.trace import TracedPod


class Scene:
    """What the gate is shown of the virtual cluster.

    Args:
        pods: of the trace.
        config: the scene.
        machine: the real nodes.
        autoscaler: the nodes on their way.
    """

    def __init__(
        self,
        pods: Sequence[TracedPod],
        *,
        config: SimulationConfig,
        machine: Machine,
        autoscaler: Autoscaler,
    ) -> None:
        self._config = config
        self._machine = machine
        self._autoscaler = autoscaler
        self._nodes = RealNodes(config.node, config.arch)
        self._virtual = virtual_node(config)
        self._namespaces = namespaces(pod.namespace for pod in pods)
        self._overflowing: dict[PodUid, Pod] = {}
        # Who runs on Fargate is looked at for budgets alone, and one by one.
        self._counts = config.gate.budget != NO_LIMITS or config.offer.quota != VcpuQuota()
        self._real: dict[str, RealNode] = {}
        self._touched: set[int] = set(machine.slots())
        self._boots = 0
        self._starts = 0

    @property
    def is_any_coming(self) -> bool:
        """Whether a node is on its way."""
        return bool(self._autoscaler.coming)

    def bursts(self, pod: Pod) -> None:
        """The pod is bound to the virtual node."""
        self._overflowing[pod.uid] = pod
        self._starts += 1

    def ended(self, uid: PodUid) -> None:
        """An overflow pod is over."""
        del self._overflowing[uid]

    def touched(self, slot: int) -> None:
        """What is taken of a real node has changed, or the node is gone."""
        self._touched.add(slot)

    def booted(self, slot: int) -> None:
        """A node that was asked for is Ready."""
        self._touched.add(slot)
        self._boots += 1

    def facts(self, unbound: Mapping[PodUid, Pod]) -> Facts:
        """The cluster now, with these of its unbound pods."""
        return Facts(
            unbound=unbound,
            virtual=(self._virtual,),
            on_virtual={VIRTUAL_NODE: tuple(self._overflowing.values()) if self._counts else ()},
            namespaces=self._namespaces,
            grants={},
            real=self._real_nodes(),
            coming=tuple(self._coming(each) for each in self._autoscaler.coming),
            learned=self._learned(),
        )

    def _real_nodes(self) -> Mapping[str, RealNode]:
        standing = set(self._machine.slots()) if self._touched else set()
        for slot in self._touched:
            name = self._nodes.node(slot).name
            if slot in standing:
                self._real[name] = self._nodes.taken(slot, self._machine.free(slot))
            else:
                self._real.pop(name, None)
        self._touched.clear()
        return self._real

    def _coming(self, asked: Asked) -> Coming:
        return Coming(
            node=self._nodes.node(asked.slot),
            room=self._nodes.room,
            since=moment(asked.at),
            source="node-claim",
        )

    def _learned(self) -> Learned:
        if not self._boots and not self._starts:
            return NOTHING_LEARNED
        return Learned(
            node_boot=self._config.boot if self._boots else None,
            boots=self._boots,
            fargate_start=self._config.fargate_start if self._starts else None,
            starts=self._starts,
        )
