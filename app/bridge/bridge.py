"""Ties the shells of one virtual node together: gathers, lets `reconcile` decide, and applies."""

import asyncio
from collections.abc import Callable, Mapping

from app.bridge.apply import Applier
from app.bridge.config import BridgeConfig
from app.bridge.decision.commands import Later, LaunchTask, RecordAttempt, RecordTask
from app.bridge.decision.facts import Facts, PodKey, recorded_arn
from app.bridge.decision.reconcile import decide
from app.bridge.known import Known
from app.bridge.launcher import Launcher
from app.bridge.log_directory import BridgeLogs
from app.bridge.memories import Memories
from app.bridge.metrics import BridgeMetrics
from app.bridge.node.keeper import NodeKeeper
from app.bridge.node.lease import NodeLease
from app.bridge.outside import Outside
from app.bridge.pod_views import PodViews, key_of
from app.bridge.pod_worker import PodWorkers
from app.bridge.task_poll import TaskPoll
from app.bridge.task_store import TaskStore
from app.bridge.task_store import key_of as key_of_task
from app.model.names import PodUid, TaskArn
from app.model.pod import Pod, is_terminal
from app.telemetry import logs

log = logs.get(__name__)


class Bridge:
    """A virtual kubelet for one node.

    Attributes:
        logs: where the containers' logs are, for the node's HTTPS API.
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
        self._config = config
        self._watched = watched
        self._clock = clock
        self._metrics = metrics
        self._views = PodViews(watched)
        self._store = TaskStore(cluster=config.cluster, node=node.name)
        self._poll = TaskPoll(outside.tasks, self._store, clock=clock, config=config.poll, pods=self._uids)
        self._namespaces = outside.namespaces
        self._lease = NodeLease(outside.leases, clock=clock, config=node)
        self._keeper = NodeKeeper(
            outside.nodes, outside.leases, clock=clock, config=node, lease=self._lease, bound=watched.all
        )
        self._memories = Memories()
        known = Known(views=self._views, tasks=self._store, memories=self._memories, lease=self._lease)
        self._applier = Applier(
            outside,
            known=known,
            launcher=Launcher(outside, known=known, slots=config.launches_in_flight, metrics=metrics),
            metrics=metrics,
            request_look=self._poll.request_look,
        )
        self._workers = PodWorkers(self.step, clock=clock, jitter=jitter, cap=config.retry_cap)
        self.logs = BridgeLogs(watched, self._store, stream_prefix=config.task.stream_prefix)
        watched.on_change(self._pod_changed)
        self._store.on_change(self._workers.wake)
        self._poll.on_look(self._looked)

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
            await self._poll.looked()
            self._tell_of_tasks()
            group.create_task(self._workers.run())

    async def release(self) -> None:
        """Leave the node to the next bridge; after `run` has ended."""
        await self._lease.release()

    def is_ready(self) -> bool:
        """Whether the first complete listing of tasks is done.

        A bridge that waits for another's Lease is ready too: a rolling update ends the old one only then.
        """
        return self._poll.looked_at is not None

    def observe(self) -> None:
        """Bring the gauges up to date; call it before they are read."""
        self._metrics.observe(pods=self._watched.all(), tasks=self._store.all(), depth=self._workers.depth)

    async def step(self, key: PodKey) -> float | None:
        """Do all that can be done for one pod now.

        Returns:
            Seconds after which to come again, or None where a change will tell.

        Raises:
            PortFailure: the outside failed; come again later.
        """
        while True:
            await self._lease.held()
            delay: float | None = None
            goes_on = False
            facts = self._facts(key)
            for command in decide(facts):
                await self._applier.apply(key, command)
                goes_on = goes_on or isinstance(command, (RecordAttempt, LaunchTask, RecordTask))
                delay = command.seconds if isinstance(command, Later) else delay
            if not goes_on:
                break
        if facts.pod is None and not facts.live:
            self._memories.forget(key)
        return delay

    def _facts(self, key: PodKey) -> Facts:
        pod = self._views.get(key)
        if pod is not None:
            self._expect_task_of(pod, key)
        return Facts(
            key=key,
            pod=pod,
            namespace=self._labels_of(key.namespace),
            tasks=self._store.of(key.uid),
            missing=self._store.missing(key.uid),
            looked_at=self._poll.looked_at,
            memory=self._memories.of(key),
            config=self._config,
            now=self._clock.now(),
            strange=self._strange(pod, key),
        )

    def _labels_of(self, namespace: str) -> Mapping[str, str] | None:
        found = self._namespaces.get(namespace)
        return found.metadata.labels if found is not None else None

    def _strange(self, pod: Pod | None, key: PodKey) -> frozenset[TaskArn]:
        named = recorded_arn(pod) if pod is not None else None
        return (
            frozenset([named]) if named is not None and self._store.strange(key.uid, named) else frozenset()
        )

    def _expect_task_of(self, pod: Pod, key: PodKey) -> None:
        """Find out about the task that the pod names, unless the pod is over and nobody asks any more."""
        named = recorded_arn(pod)
        if named is not None and (pod.metadata.deletion_timestamp is not None or not is_terminal(pod)):
            self._store.expect(named, key)

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
