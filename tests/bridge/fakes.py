"""The world around a bridge, which goes on when the bridge dies."""

import asyncio
import contextvars
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import msgspec
from prometheus_client import CollectorRegistry

from app.bridge.bridge import Bridge
from app.bridge.config import BridgeConfig, NodeConfig, PollConfig, TaskSettings
from app.bridge.decision.facts import Gathered
from app.bridge.metrics import BridgeMetrics
from app.bridge.outside import Outside
from app.bridge.task_news import TaskNews
from app.bridge.translation.material import Material, Needs
from app.model.log import WHOLE_STREAM, LogLine, LogPage, LogStream, LogWindow
from app.model.meta import ObjectMeta
from app.model.names import OVERFLOW, TaskArn
from app.model.namespace import Namespace
from app.model.pod import TERMINAL_PHASES, Pod
from app.model.usage import Sample
from app.ports.failures import NotFound, Unavailable
from app.ports.probes import Answer
from app.ports.usage import Insights
from tests.bridge.door import PROCESS, Door
from tests.bridge.fake_ecs import FakeEcs
from tests.bridge.fake_events import FakeTaskEvents
from tests.bridge.fake_kubernetes import FakeEvents, FakeLeases, FakeNodes, FakePods
from tests.builders import NOON, VIRTUAL
from tests.fakes import FakeWatched, VirtualClock

FIRST = "bridge-0"
NODE_IP = "10.0.0.9"
LEASE = f"kube-node-lease/{VIRTUAL}"
NODE = NodeConfig(
    name=VIRTUAL,
    zone="us-east-1a",
    region="us-east-1",
    internal_ip=NODE_IP,
    kubelet_port=10250,
    kubelet_version="v1.36.0",
    provider_id="",
    identity=FIRST,
    capacity={"cpu": "1000", "memory": "4000Gi", "pods": "1000"},
    gate_namespace="sys",
)
TASK = TaskSettings(
    region="us-east-1",
    log_group="/g",
    log_mode="non-blocking",
    execution_role_arn="arn:aws:iam::123456789012:role/exec",
    task_role_arn="arn:task",
)
CONFIG = BridgeConfig(
    cluster="cluster-1",
    node=msgspec.structs.replace(NODE, lease_period=30, gate_period=20),
    task=TASK,
    poll=PollConfig(busy=2, quiet=10, look=60, retry=3),
)


def a_namespace(name: str, *, overflow: str = "") -> Namespace:
    labels = {OVERFLOW: overflow} if overflow else {}
    return Namespace(metadata=ObjectMeta(name=name, labels=labels))


class FakeMaterials:
    """Finds at once whatever the test laid out; every pod's material is empty otherwise."""

    def __init__(self) -> None:
        self.found: dict[str, Gathered] = {}
        self.asked = 0

    async def gather(self, pod: Pod, needs: Needs, *, namespace: Mapping[str, str]) -> Gathered:
        self.asked += 1
        return self.found.get(pod.key, Material(namespace=namespace))


class FakeInsights(Insights):
    """Gives what the test has put in, once it is asked for by its task."""

    def __init__(self) -> None:
        self.measured: list[Sample] = []
        self.asked: list[tuple[Collection[TaskArn], datetime]] = []
        self.failing = False

    async def samples(self, tasks: Collection[TaskArn], *, since: datetime) -> Sequence[Sample]:
        self.asked.append((tasks, since))
        if self.failing:
            raise Unavailable("no answer")
        return [each for each in self.measured if each.task in tasks and each.at >= since]


class FakeStreams:
    """Log streams that hold what the test wrote.

    Attributes:
        group: the group that they are in.
        asked: the streams of all calls.
        broken: what a call for a stream raises.
        stuck: the stream whose calls are never answered.
    """

    def __init__(self) -> None:
        self.group = TASK.log_group
        self.lines: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.broken: dict[str, Exception] = {}
        self.stuck = ""

    async def page(
        self,
        stream: LogStream,
        *,
        token: str | None = None,
        from_head: bool = True,
        limit: int = 10_000,
        window: LogWindow = WHOLE_STREAM,
    ) -> LogPage:
        name = stream.name
        self.asked.append(name)
        if name == self.stuck:
            await asyncio.Event().wait()
        if name in self.broken:
            raise self.broken[name]
        if stream.group != self.group or name not in self.lines:
            raise NotFound(name)
        lines = self.lines[name]
        start = int(token or 0) if from_head else max(len(lines) - limit, 0)
        found = tuple(LogLine(NOON, text) for text in lines[start : start + limit])
        return LogPage(lines=found, forward=str(start + len(found)), backward="0")


class FakeProbes:
    """Containers that answer as the test says; well, where it says nothing."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []

    async def http(self, url: str, *, headers: Mapping[str, str], within: float) -> Answer:
        return self._answer(url)

    async def tcp(self, host: str, port: int, *, within: float) -> Answer:
        return self._answer(f"tcp://{host}:{port}")

    async def grpc(self, host: str, port: int, *, service: str, within: float) -> Answer:
        return self._answer(f"grpc://{host}:{port}/{service}")

    def _answer(self, target: str) -> Answer:
        self.asked.append(target)
        return self.answers.get(target, Answer(ok=True))


class PausableClock:
    """Time as a process sees it that may be paused: it stands up from its sleep only when it is woken."""

    def __init__(self, clock: VirtualClock, door: Door) -> None:
        self._clock = clock
        self._door = door

    def now(self) -> datetime:
        return self._clock.now()

    def steady(self) -> float:
        return self._clock.steady()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self._door.awake()


async def _run(bridge: Bridge, news: TaskNews | None) -> None:
    """A process, as the composition root puts it together."""
    async with asyncio.TaskGroup() as group:
        group.create_task(bridge.run())
        if news is not None:
            group.create_task(news.run())


class World:
    """Everything outside the bridge; it goes on when a bridge dies."""

    def __init__(self, *, listens: bool = False) -> None:
        """`listens`: whether there is a queue of task events."""
        self.clock = VirtualClock()
        self.door = Door()
        self.pods = FakePods(self.door, self.clock)
        self.ecs = FakeEcs(self.door, self.clock)
        self.nodes = FakeNodes(self.door)
        self.left_behind: list[str] = []
        self.pods.witness = self._see_removal
        self.leases = FakeLeases(self.door)
        self.events = FakeEvents(self.door)
        self.streams = FakeStreams()
        self.materials = FakeMaterials()
        self.probes = FakeProbes()
        self.namespaces = FakeWatched([a_namespace("shop", overflow="enabled")])
        self.registry = CollectorRegistry()
        self.queue = FakeTaskEvents(self.ecs, self.clock, self.door) if listens else None
        self.bridge: Bridge | None = None
        self.heir = CONFIG
        self._processes: dict[str, asyncio.Task[None]] = {}
        self._last = FIRST

    def outside(self, metrics: BridgeMetrics, *, who: str = FIRST) -> Outside:
        return Outside(
            watched=self.pods.rewatch(who),
            namespaces=self.namespaces,
            pods=self.pods,
            nodes=self.nodes,
            leases=self.leases,
            events=self.events,
            tasks=self.ecs,
            definitions=self.ecs,
            streams=self.streams,
            materials=self.materials,
            probes=self.probes,
            insights=FakeInsights(),
            clock=PausableClock(self.clock, self.door),
            news=self._news(metrics),
        )

    def _news(self, metrics: BridgeMetrics) -> TaskNews | None:
        if self.queue is None:
            return None
        return TaskNews(self.queue, clock=PausableClock(self.clock, self.door), retry=3, metrics=metrics)

    def start(self, config: BridgeConfig = CONFIG, *, who: str = "") -> Bridge:
        """A new process with an empty memory, under the identity `who` or else the configured one."""
        who = self._last = who or config.node.identity
        self.registry = CollectorRegistry()
        metrics = BridgeMetrics(self.registry)
        outside = self.outside(metrics, who=who)
        config = msgspec.structs.replace(config, node=msgspec.structs.replace(config.node, identity=who))
        self.bridge = Bridge(config, outside=outside, jitter=lambda: 1.0, metrics=metrics)
        context = contextvars.copy_context()
        context.run(PROCESS.set, who)
        running = _run(self.bridge, outside.news)
        self._processes[who] = asyncio.get_running_loop().create_task(running, context=context)
        return self.bridge

    async def stop(self, who: str = "") -> None:
        """The process ends without a word; the one that was started last, where none is named."""
        process = self._processes.pop(who or self._last)
        process.cancel()
        await asyncio.gather(process, return_exceptions=True)

    async def advance(self, seconds: int, *, step: int = 1) -> None:
        """Let time pass; a bridge that died is replaced by a new one after a while."""
        for _ in range(0, seconds, step):
            if self.queue is not None:
                self.queue.tell()
            await self.clock.advance(step)
            if self.door.died:
                await self.stop()
                self.door.died = False
                self.start(self.heir, who=self._last)

    def _see_removal(self, pod: Pod) -> None:
        """A pod may only go with a final status, and when its task is over."""
        self.pods.removed.append(pod)
        lives = any(each.identity.uid == pod.uid for each in self.ecs.live())
        if lives or pod.status.phase not in TERMINAL_PHASES:
            self.left_behind.append(pod.key)

    def pod(self, pod: Pod) -> Pod:
        """The pod as the API server has it."""
        return self.pods.pods[pod.key]
