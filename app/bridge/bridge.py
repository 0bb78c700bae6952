"""Ties the shells of one virtual node together: gathers, lets `reconcile` decide, and applies."""

import asyncio
from collections.abc import Callable
from typing import Final

from app.bridge.apply import Applier
from app.bridge.config import BridgeConfig
from app.bridge.containers import BridgeContainers
from app.bridge.decision.commands import Gather, Later, LaunchTask, RecordAttempt, RecordTask
from app.bridge.decision.facts import PodKey
from app.bridge.decision.measures import Commands
from app.bridge.decision.reconcile import decide
from app.bridge.known import Known
from app.bridge.launcher import Launcher
from app.bridge.log_directory import BridgeLogs
from app.bridge.log_places import LogPlaces
from app.bridge.memories import Memories
from app.bridge.metrics import BridgeMetrics, Burden
from app.bridge.node.keeper import NodeKeeper
from app.bridge.node.lease import NodeLease
from app.bridge.outside import Outside
from app.bridge.pod_views import PodViews, key_of
from app.bridge.pod_worker import PodWorkers
from app.bridge.probing.prober import Prober
from app.bridge.records import Records
from app.bridge.survey import Sources, Survey
from app.bridge.task_poll import TaskPoll
from app.bridge.task_store import TaskStore
from app.bridge.task_store import key_of as key_of_task
from app.bridge.usage.board import UsageBoard, UsageConfig
from app.model.names import PodUid
from app.model.pod import Pod
from app.telemetry import logs

log = logs.get(__name__)


CONTINUED: Final = (Gather, RecordAttempt, LaunchTask, RecordTask)
"""Commands after which more can be done at once."""


class Bridge:
    """A virtual kubelet for one node.

    Attributes:
        logs: where the containers' logs are, for the node's HTTPS API.
        containers: where the containers are that people enter, for the same.
        usage: what they use, for the same.
    """

    def __init__(
        self, config: BridgeConfig, *, outside: Outside, jitter: Callable[[], float], metrics: BridgeMetrics
    ) -> None:
        """Connect nothing yet.

        Args:
            config: of this node.
            outside: the ports.
            jitter: a number from 0 to 1, anew with each call; spreads repeated steps.
            metrics: what is counted.
        """
        watched, clock, node = outside.watched, outside.clock, config.node
        views = PodViews(watched)
        self._config, self._watched = config, watched
        self._store = TaskStore(cluster=config.cluster, node=node.name)
        self._lease = NodeLease(outside.leases, clock=clock, config=node)
        self._poll = TaskPoll(
            outside.tasks,
            self._store,
            clock=clock,
            config=config.poll,
            pods=self._uids,
            leads=self._lease.is_held,
        )
        self._namespaces = outside.namespaces
        self._keeper = NodeKeeper(
            outside.nodes, outside.leases, clock=clock, config=node, lease=self._lease, bound=watched.all
        )
        self._records = Records(
            outside.streams,
            self._store,
            clock=clock,
            places=LogPlaces(views, settings=config.task),
            config=config.records,
            held=self._lease.held,
        )
        self._prober = Prober(
            outside.probes, events=outside.events, clock=clock, jitter=jitter, leads=self._lease.is_held
        )
        known = Known(
            views=views,
            tasks=self._store,
            memories=Memories(),
            records=self._records,
            lease=self._lease,
        )
        self._survey = Survey(
            Sources(
                known=known,
                poll=self._poll,
                prober=self._prober,
                namespaces=outside.namespaces,
                clock=clock,
                news=outside.news,
            ),
            config=config,
        )
        self._applier = Applier(
            outside,
            known=known,
            launcher=Launcher(outside, known=known, slots=config.launches_in_flight, metrics=metrics),
            metrics=metrics,
            config=config.task,
            request_look=self._poll.request_look,
        )
        self._workers = PodWorkers(
            self.step, clock=clock, jitter=jitter, cap=config.retry_cap, tell=self._applier.tell_of_failure
        )
        self.logs = BridgeLogs(watched, self._store, settings=config.task, runs=self._records.runs)
        self.containers = BridgeContainers(watched, self._store)
        self.usage = UsageBoard(
            outside.insights,
            self._store,
            pods=watched,
            clock=clock,
            config=UsageConfig(node=node.name, period=config.usage_period),
            held=self._lease.held,
        )
        watched.on_change(self._pod_changed)
        self._store.on_change(self._workers.wake)
        self._records.on_change(self._workers.wake)
        self._prober.on_change(self._workers.wake)
        self._poll.on_look(self._looked)
        if outside.news is not None:
            outside.news.on_task(self._store.hear, leads=self._lease.is_held)

    async def run(self) -> None:
        """Keep the node and its pods until cancelled.

        Pods are not touched before the first complete listing of tasks (until then it is unknown what runs),
        nor while another bridge holds the node's Lease.
        """
        await self._watched.synced()
        await self._namespaces.synced()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keeper.run())
            group.create_task(self._poll.run())
            group.create_task(self._records.run())
            group.create_task(self.usage.run())
            group.create_task(self._prober.run())
            await self._poll.looked()
            self._tell_of_tasks()
            group.create_task(self._workers.run())

    async def release(self) -> None:
        """Leave the node to the next bridge; after `run` has ended."""
        await self._lease.release()

    async def surely_leads(self) -> bool:
        """Whether the node's Lease is ours at this moment, by a look at it."""
        return await self._lease.is_surely_held()

    def is_ready(self) -> bool:
        """Whether the first complete listing of tasks is done.

        A bridge that waits for another's Lease is ready too: a rolling update ends the old one only then.
        """
        return self._poll.looked_at is not None

    def burden(self) -> Burden:
        """What the node carries now, for the gauges."""
        return Burden(pods=self._watched.all(), tasks=self._store.all(), depth=self._workers.depth)

    async def step(self, key: PodKey) -> float | None:
        """Do all that can be done for one pod now.

        Returns:
            Seconds after which to come again, or None where a change will tell.

        Raises:
            PortFailure: the outside failed; come again later.
        """
        while True:
            await self._lease.held()
            facts = self._survey.facts(key)
            commands = decide(facts)
            goes_on = not await self._applied(key, commands)
            if not goes_on and not any(isinstance(each, CONTINUED) for each in commands):
                break
        if facts.pod is None and not facts.live:
            self._survey.forget(key)
        return min((each.seconds for each in commands if isinstance(each, Later)), default=None)

    async def _applied(self, key: PodKey, commands: Commands) -> bool:
        """Carry the commands out, each only while the node is ours; whether all were."""
        for command in commands:
            if not self._lease.is_held():
                return False
            await self._applier.apply(key, command)
        return True

    def _uids(self) -> frozenset[PodUid]:
        return frozenset(pod.uid for pod in self._watched.all())

    def _pod_changed(self, before: Pod | None, after: Pod | None) -> None:
        for key in {key_of(pod) for pod in (before, after) if pod is not None}:
            self._workers.wake(key)

    def _looked(self) -> None:
        """After a complete listing everyone is looked at again: that finds orphans, too."""
        for pod in self._watched.all():
            self._workers.wake(key_of(pod))
        for task in self._store.all():
            key = key_of_task(task)
            if key is not None:
                self._workers.wake(key)

    def _tell_of_tasks(self) -> None:
        tasks, pods = self._store.all(), self._uids()
        live = [task for task in tasks if not task.is_stopped]
        orphans = [task for task in live if task.identity is not None and task.identity.uid not in pods]
        node = self._config.node.name
        log.info("tasks found in ECS", node=node, live=len(live), without_pod=len(orphans))
