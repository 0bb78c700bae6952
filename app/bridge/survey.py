"""Gathers everything that is known of one pod at one moment, for `decide`."""

from collections.abc import Mapping

import msgspec

from app.bridge.config import BridgeConfig
from app.bridge.decision import adoption
from app.bridge.decision.facts import Facts, PodKey
from app.bridge.decision.record import recorded_arn
from app.bridge.known import Known
from app.bridge.probing.prober import Prober
from app.bridge.status.observed import Health, Run, Told
from app.bridge.task_news import TaskNews
from app.bridge.task_poll import TaskPoll
from app.model.names import PodUid, TaskArn
from app.model.namespace import Namespace
from app.model.pod import Pod, is_terminal
from app.model.task import Task
from app.ports.clock import Clock
from app.ports.watched import Watched


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the facts come from. `news` is None without a queue of task events."""

    known: Known
    poll: TaskPoll
    prober: Prober
    namespaces: Watched[Namespace]
    clock: Clock
    news: TaskNews | None = None


class Survey:
    """Looks at caches only; nothing is asked of Kubernetes or AWS here."""

    def __init__(self, sources: Sources, *, config: BridgeConfig) -> None:
        self._from = sources
        self._config = config
        self._witnessed: set[PodUid] = set()

    def facts(self, key: PodKey) -> Facts:
        """All that is known now. Probes and polls are told on the way what to look at."""
        known, poll, news = self._from.known, self._from.poll, self._from.news
        pod = known.views.get(key)
        if pod is not None:
            self._witnessed.add(key.uid)
            self._expect_task_of(pod, key)
        tasks = known.tasks.of(key.uid)
        told = known.records.of(tasks)
        return Facts(
            key=key,
            pod=pod,
            namespace=self._labels_of(key.namespace),
            tasks=tasks,
            missing=known.tasks.missing(key.uid),
            looked_at=poll.looked_at,
            memory=known.memories.of(key),
            config=self._config,
            now=self._from.clock.now(),
            strange=self._strange(pod, key),
            told=told,
            health=self._health(key, pod, tasks, told),
            witnessed=key.uid in self._witnessed,
            unclaimed=poll.unclaimed(tasks),
            listens=news is not None,
            drained_at=news.drained_at if news is not None else None,
        )

    def forget(self, key: PodKey) -> None:
        """The pod is gone, and no task of it is left."""
        self._from.known.memories.forget(key)
        self._witnessed.discard(key.uid)

    def _health(
        self, key: PodKey, pod: Pod | None, tasks: tuple[Task, ...], told: Mapping[TaskArn, Told]
    ) -> Mapping[str, Health]:
        """What the probes say of the newest attempt's task, once they are told what runs now."""
        recorded = recorded_arn(pod) if pod is not None else None
        task = adoption.current(tasks, recorded=recorded)
        runs = told[task.arn].runs if task is not None and task.arn in told else {}
        numbers = {name: each[-1].number for name, each in runs.items() if each}
        now = _as_it_runs(task, runs) if task is not None else None
        self._from.prober.attend(key, pod, now, runs=numbers)
        return self._from.prober.health(key, now)

    def _labels_of(self, namespace: str) -> Mapping[str, str] | None:
        found = self._from.namespaces.get(namespace)
        return found.metadata.labels if found is not None else None

    def _strange(self, pod: Pod | None, key: PodKey) -> frozenset[TaskArn]:
        named = recorded_arn(pod) if pod is not None else None
        is_strange = named is not None and self._from.known.tasks.strange(key.uid, named)
        return frozenset([named]) if named is not None and is_strange else frozenset()

    def _expect_task_of(self, pod: Pod, key: PodKey) -> None:
        """Find out about the task that the pod names, unless the pod is over and nobody asks any more."""
        named = recorded_arn(pod)
        if named is not None and (pod.metadata.deletion_timestamp is not None or not is_terminal(pod)):
            self._from.known.tasks.expect(named, key)


def _as_it_runs(task: Task, runs: Mapping[str, tuple[Run, ...]]) -> Task:
    """The task with those containers stopped whose last run has ended: ECS sees the helper run in them."""
    ended = {name for name, each in runs.items() if each and each[-1].code is not None}
    containers = tuple(
        msgspec.structs.replace(each, last_status="STOPPED") if each.name in ended else each
        for each in task.containers
    )
    return msgspec.structs.replace(task, containers=containers)
