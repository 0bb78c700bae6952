"""`spillway explain` and `spillway status`, composed: one read-only look at a cluster, and all it shows."""

import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from app.extender.cluster.facts import Facts
from app.extender.cluster.gauge import MOST_REACHES, NEW_REACHES
from app.extender.cluster.outlook import Autoscalers, Outlook
from app.extender.cluster.reduction import Reduction
from app.extender.cluster.snapshot import Snapshot
from app.extender.decision.book import offer_on
from app.extender.homing.placeholders import placeholder_of
from app.extender.insight.explanation import Explanation, asks_controller, explain_pod
from app.extender.insight.home import Asked
from app.extender.insight.opting import is_made_by
from app.extender.insight.policy import DEFAULTS, Policy, published
from app.extender.insight.seen import Seen
from app.extender.insight.status import Status, summary
from app.extender.insight.unprepared import unprepared
from app.kube.evictions import Evictions
from app.kube.inspection import Inspection
from app.model.event import Event
from app.model.grant import Grant, GrantsError, read_grants
from app.model.lease import LeaseObject
from app.model.meta import ObjectMeta
from app.model.names import GATE_LEASE
from app.model.namespace import Namespace
from app.model.node import Node, is_virtual
from app.model.node_claim import NodeClaim
from app.model.objects import ConfigMap
from app.model.offer import Offer
from app.model.pod import Pod, controller_of
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.ports.watched import Listener
from app.wiring import kubernetes

NODE_LEASES: Final = "kube-node-lease"
EVENTS_OF_NODES: Final = "default"
"""Namespaces of what is about nodes, which have none."""

K = TypeVar("K", Pod, Node, NodeClaim, ConfigMap)


class Listed(Generic[K]):
    """A listing where a watch is asked for (`app.ports.watched.Watched`): it never changes."""

    def __init__(self, values: Iterable[K]) -> None:
        self._values: dict[str, K] = {_key(each.metadata): each for each in values}

    def get(self, key: str) -> K | None:
        """The object."""
        return self._values.get(key)

    def all(self) -> tuple[K, ...]:
        """Every object."""
        return tuple(self._values.values())

    def on_change(self, listener: Listener[K]) -> None:
        """Nothing changes, so nobody is called."""

    async def synced(self) -> None:
        """It is."""

    async def run(self) -> None:
        """There is nothing to do."""


class Insight:
    """Looks at one cluster.

    Args:
        inspection: reads it.
        evictions: asks controllers for their replicas; nothing is evicted.
        clock: time.
        namespace: Spillway's own, where its Leases are; empty takes the one that its leader published.
        option: how people name that namespace who look.
    """

    def __init__(
        self,
        inspection: Inspection,
        *,
        evictions: Evictions,
        clock: Clock,
        namespace: str,
        option: str = "--spillway-namespace",
    ) -> None:
        self._inspection = inspection
        self._evictions = evictions
        self._clock = clock
        self._namespace = namespace
        self._option = option

    async def explain(self, keys: Sequence[tuple[str, str]]) -> list[Explanation | NotFound]:
        """Why each pod, by namespace and name, does or does not burst; NotFound for one that is not there.

        Raises:
            PortFailure: the cluster could not be read.
        """
        self._inspection.unread.clear()
        # Whether they are there is a cheap question, and listing a large cluster is not.
        found = [await self._told_of(*key) for key in keys]
        if all(isinstance(each, NotFound) for each in found):
            return [each for each in found if isinstance(each, NotFound)]
        seen = await self._look()
        return [
            each if isinstance(each, NotFound) else await self._anew(*key, seen, each)
            for key, each in zip(keys, found, strict=True)
        ]

    async def pods_of(self, kind: str, namespace: str, name: str) -> list[tuple[str, str]]:
        """The pods of a controller, by namespace and name. Raises PortFailure."""
        pods = await self._inspection.pods_of(namespace)
        return sorted((namespace, pod.metadata.name) for pod in pods if is_made_by(pod, kind=kind, name=name))

    async def status(self) -> Status:
        """How all of it stands. Raises PortFailure."""
        self._inspection.unread.clear()
        return summary(await self._look())

    async def offer(self) -> Offer | None:
        """The prices on the first virtual node; None where there is none. Raises PortFailure."""
        nodes = [node for node in await self._inspection.nodes() if is_virtual(node)]
        return offer_on(nodes[0]) if nodes else None

    async def _look(self) -> Seen:
        """Everything that decides, as of now."""
        nodes = await self._inspection.nodes()
        virtual = [node for node in nodes if is_virtual(node)]
        policy = published(virtual)
        used = policy or DEFAULTS
        own = self._namespace or used.namespace
        namespaces = await self._inspection.namespaces()
        pods = await self._inspection.pods(keep=Reduction(Listed(nodes)))
        facts = await self._facts(pods, nodes, namespaces, policy=used)
        now = self._clock.now()
        events = [await self._inspection.events(EVENTS_OF_NODES, node.metadata.uid) for node in virtual]
        held = (placeholder_of(pod, namespace=own, made=now) for pod in pods)
        return Seen(
            facts=facts,
            now=now,
            policy=used,
            is_published=policy is not None,
            gate_lease=await self._inspection.lease(own, GATE_LEASE),
            node_leases=await self._node_leases(virtual),
            placeholders=tuple(each.pod for each in held if each is not None),
            unprepared=unprepared(
                pods, namespaces=facts.namespaces, own=own, actuator=used.gate.actuator, now=now
            ),
            events=tuple(itertools.chain(*events)),
            unread=tuple(self._inspection.unread),
            namespace=own,
            option=self._option,
        )

    async def _told_of(self, namespace: str, name: str) -> tuple[Event, ...] | NotFound:
        """What was said of the pod, if it is there."""
        try:
            pod = await self._inspection.pod(namespace, name)
        except NotFound as error:
            return error
        return await self._inspection.events(namespace, pod.uid)

    async def _anew(
        self, namespace: str, name: str, seen: Seen, events: Iterable[Event]
    ) -> Explanation | NotFound:
        """The pod as of the look; it may be gone since it was asked for."""
        try:
            pod = await self._inspection.pod(namespace, name)
        except NotFound as error:
            return error
        return await self._explain(pod, seen, events)

    async def _explain(self, pod: Pod, seen: Seen, events: Iterable[Event]) -> Explanation:
        replicas = await self._replicas(pod) if asks_controller(pod, seen) else "unasked"
        return explain_pod(pod, seen, events=events, replicas=replicas)

    async def _replicas(self, pod: Pod) -> Asked:
        owner = controller_of(pod)
        if owner is None:
            return "unasked"
        try:
            return await self._evictions.replicas(pod.metadata.namespace, owner)
        except NotFound:
            return None
        except PortFailure:
            # Another kind, or not ours to read: the leader cannot ask it, either, and says so.
            return "unasked"

    async def _node_leases(self, virtual: Iterable[Node]) -> dict[str, LeaseObject]:
        found = {node.name: await self._inspection.lease(NODE_LEASES, node.name) for node in virtual}
        return {name: lease for name, lease in found.items() if lease is not None}

    async def _facts(
        self,
        pods: Iterable[Pod],
        nodes: Iterable[Node],
        namespaces: Iterable[Namespace],
        *,
        policy: Policy,
    ) -> Facts:
        """As the leader gathers them; its watches are listings here."""
        listed_pods, listed_nodes = Listed(pods), Listed(nodes)
        snapshot = Snapshot(listed_pods, listed_nodes, watermarks=policy.watermarks)
        autoscalers = Autoscalers(
            claims=Listed(await self._inspection.node_claims()),
            status=Listed(await self._inspection.autoscaler_status()),
        )
        outlook = Outlook(
            snapshot, pods=listed_pods, nodes=listed_nodes, autoscalers=autoscalers, changed=_nothing
        )
        virtual, now = snapshot.virtual(), self._clock.now()

        def gathered() -> Facts:
            return snapshot.facts(
                virtual=virtual,
                namespaces={each.name: each for each in namespaces},
                grants={node.name: _grants(node) for node in virtual},
                coming=outlook.coming(now),
                learned=outlook.learned(),
                now=now,
            )

        return _measured(gathered)


def _measured(gathered: Callable[[], Facts]) -> Facts:
    """The facts once the pressure is measured everywhere: each turn takes up a few new reaches."""
    facts = gathered()
    for _ in range(MOST_REACHES // NEW_REACHES):
        before, facts = facts, gathered()
        if len(facts.pressure) == len(before.pressure):
            break
    return facts


def _key(metadata: ObjectMeta) -> str:
    return f"{metadata.namespace}/{metadata.name}".lstrip("/")


def _nothing() -> None:
    """Nobody waits for a change."""


def _grants(node: Node) -> tuple[Grant, ...]:
    try:
        return read_grants(node.metadata.annotations)
    except GrantsError:
        # The leader takes them for none, too, and writes them anew; `status` names it.
        return ()


@contextlib.asynccontextmanager
async def insight(kubeconfig: str, *, namespace: str, clock: Clock) -> AsyncIterator[Insight]:
    """A look at the cluster of this kubeconfig.

    Raises:
        StartError: no cluster is configured; the message names the mend.
    """
    connection = await kubernetes.connected(kubeconfig, clock=clock, component="cli")
    try:
        yield Insight(
            Inspection(connection), evictions=Evictions(connection), clock=clock, namespace=namespace
        )
    finally:
        await connection.close()
