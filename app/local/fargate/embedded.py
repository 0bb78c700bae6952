"""The embedded Fargate as one thing to start and stop."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Any

from app.local.fargate.agenda import Agenda
from app.local.fargate.billing.price_list import PriceList
from app.local.fargate.billing.quotas import QuotasApi
from app.local.fargate.config import FargateConfig
from app.local.fargate.definitions.revisions import TaskDefinitions
from app.local.fargate.ecs.clusters import Clusters
from app.local.fargate.ecs.execute_command import ExecuteCommandApi
from app.local.fargate.ecs.launcher import Launcher
from app.local.fargate.ecs.task_api import TaskApi
from app.local.fargate.events.rule import EventRule
from app.local.fargate.events.sqs_api import SqsApi
from app.local.fargate.faults.orders import Faults
from app.local.fargate.journal import Journal
from app.local.fargate.logs.api import LogsApi
from app.local.fargate.logs.store import LogStore
from app.local.fargate.protocol.throttles import Throttles
from app.local.fargate.protocol.wire import Reader
from app.local.fargate.running.processes import ProcessRunner, host_has
from app.local.fargate.running.simulated import SimulatedRunner
from app.local.fargate.running.volumes import Volumes
from app.local.fargate.service.api import Api
from app.local.fargate.service.endpoints import Endpoints
from app.local.fargate.service.server import LoopbackServer
from app.local.fargate.session_manager.channel import DataChannels
from app.local.fargate.session_manager.manager import SessionManager
from app.local.fargate.session_manager.means import Means
from app.local.fargate.tasks.agent_monitor import AgentMonitor
from app.local.fargate.tasks.gauges import Gauges
from app.local.fargate.tasks.health_monitor import HealthMonitor
from app.local.fargate.tasks.interruptions import Interruptions
from app.local.fargate.tasks.lifecycle import Lifecycle
from app.local.fargate.tasks.metadata import Metadata
from app.local.fargate.tasks.network import Network
from app.local.fargate.tasks.performance_log import PerformanceLog
from app.local.fargate.tasks.surroundings import Surroundings
from app.local.fargate.tasks.task_statistics import StatisticsOfTasks
from app.local.fargate.vault.vault import Vault
from app.ports.clock import Clock


class EmbeddedFargate:
    """ECS, CloudWatch Logs, SQS, Secrets Manager, Parameter Store, prices and quotas on loopback, with tasks.

    Tasks run on this host, or are simulated.

    Attributes:
        journal: everything that was called and everything that happened.
        faults: what shall go wrong (also through POST /_spillway/faults).
        interruptions: what AWS, or a user, may do to tasks.
        api: the same requests without a socket.
    """

    def __init__(
        self,
        config: FargateConfig,
        *,
        clock: Clock,
        ids: Callable[[], str],
        can_execute: Callable[[str], bool] = host_has,
    ) -> None:
        self._config = config
        self._agenda = Agenda(clock)
        self._processes = ProcessRunner()
        self._server = LoopbackServer(host=config.host, port=config.port)
        self._driver: asyncio.Task[None] | None = None
        self.journal = Journal(clock)
        self.faults = Faults()
        throttles = Throttles(now=clock.steady(), on=config.throttles, scale=config.throttle_scale)
        network = Network(config.subnets, region=config.region, ids=ids)
        self._logs = LogStore(clock)
        for name in config.log_groups:
            self._logs.create_group(name)
        vault = Vault(config, clock=clock, ids=ids)
        self._surroundings = Surroundings(
            config=config, volumes=Volumes(config.volumes_path), values=vault.values
        )
        self._rule = EventRule(config=config, clock=clock, agenda=self._agenda, faults=self.faults, ids=ids)
        self._lifecycle = Lifecycle(
            clock=clock,
            agenda=self._agenda,
            pace=config.pace,
            surroundings=self._surroundings,
            journal=self.journal,
            network=network,
            logs=self._logs,
            runners={True: self._processes, False: SimulatedRunner(self._agenda)},
            health=HealthMonitor(clock=clock, agenda=self._agenda),
            agents=AgentMonitor(clock=clock, agenda=self._agenda, pace=config.pace),
            changed=self._rule.publish,
            over=self._surroundings.clear,
            began=lambda task: self.interruptions.await_mishaps(task),  # noqa: PLW0108  (it comes next)
        )
        self.interruptions = Interruptions(lifecycle=self._lifecycle)
        launcher = Launcher(
            config=config,
            clock=clock,
            ids=ids,
            throttles=throttles,
            faults=self.faults,
            network=network,
            lifecycle=self._lifecycle,
            host_has=can_execute,
        )
        self._definitions = TaskDefinitions(config, clock=clock, in_use=self._lifecycle.is_launched_from)
        clusters = Clusters(config, tasks=self._lifecycle.tasks)
        tasks = TaskApi(
            config=config,
            clock=clock,
            clusters=clusters,
            definitions=self._definitions,
            lifecycle=self._lifecycle,
            launcher=launcher,
            faults=self.faults,
        )
        self._sessions = SessionManager(
            Means(
                clock=clock,
                agenda=self._agenda,
                pace=config.pace,
                ids=ids,
                host=self._processes,
                faults=self.faults,
                journal=self.journal,
            )
        )
        sqs_api = SqsApi(config=config, queues=self._rule.queues)
        self._performance = PerformanceLog(
            clock=clock,
            agenda=self._agenda,
            pace=config.pace,
            logs=self._logs,
            gauges=Gauges(runners=self._lifecycle.runners),
            tasks=self._lifecycle.tasks,
            wanted=clusters.has_insights,
        )
        self.api = Api(
            clock=clock,
            agenda=self._agenda,
            reader=Reader(),
            faults=self.faults,
            throttles=throttles,
            journal=self.journal,
            handlers={
                **clusters.operations(),
                **self._definitions.operations(),
                **tasks.operations(),
                **ExecuteCommandApi(
                    clusters=clusters, tasks=tasks, surroundings=self._surroundings, sessions=self._sessions
                ).operations(),
                **self._sessions.operations(),
                **LogsApi(config, store=self._logs, faults=self.faults, clock=clock, ids=ids).operations(),
                **sqs_api.operations(),
                **vault.operations(),
                **PriceList(config=config).operations(),
                **QuotasApi(config=config).operations(),
            },
            waiting=sqs_api.waiting(),
        )
        self._endpoints = Endpoints(
            api=self.api,
            faults=self.faults,
            journal=self.journal,
            state=self.state,
            ids=ids,
            hang_up=self._server.hang_up,
            metadata=Metadata(
                tasks=self._lifecycle.tasks,
                subnets=config.subnets,
                statistics=StatisticsOfTasks(clock=clock, gauges=Gauges(runners=self._lifecycle.runners)),
            ),
            channels=DataChannels(manager=self._sessions, hang_up=self._server.hang_up),
        )

    async def start(self) -> str:
        """Listen, and return the URL of every service's endpoint, for `AWS_ENDPOINT_URL`.

        Raises:
            OSError: the address is taken, or the journal's file cannot be written.
        """
        if self._config.journal_path is not None:
            self.journal.open(self._config.journal_path)
        self._processes.open()
        self._performance.begin()
        self._driver = asyncio.get_running_loop().create_task(self._agenda.run())
        url = await self._server.start(self._endpoints.app())
        self._surroundings.endpoint = url
        self._sessions.endpoint = url.replace("http:", "ws:", 1)
        return url

    async def stop(self) -> None:
        """Stop answering, kill every process that a task runs, and close the journal."""
        for queue in self._rule.queues.values():
            queue.close()
        self._sessions.close()
        await self._server.stop()
        await self._processes.close()
        if self._driver is not None:
            self._driver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._driver
        self._surroundings.close()
        self.journal.close()

    def state(self) -> dict[str, Any]:
        """What there is now: tasks with their states, and how many definitions and logs."""
        tasks = self._lifecycle.tasks.values()
        return {
            "tasks": [
                {
                    "taskArn": each.arn,
                    "lastStatus": each.status,
                    "desiredStatus": each.desired,
                    "version": each.version,
                    "pod": each.identity,
                    "attempt": each.attempt,
                    "process": each.real,
                }
                for each in tasks
            ],
            "tasksByStatus": dict(Counter(each.status for each in tasks)),
            "taskDefinitions": self._definitions.count(),
            "logStreams": {group.name: len(group.streams) for group in self._logs.groups()},
            "journalEntries": len(self.journal.since()),
        }
