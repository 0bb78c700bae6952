"""When sessions can be opened in a container: some time after its start, if at all.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from app.local.fargate.agenda import Agenda
from app.local.fargate.config import Pace
from app.local.fargate.running.workload import Runner
from app.local.fargate.tasks.record import ContainerRecord, ManagedAgent, TaskRecord
from app.ports.clock import Clock

_READONLY: Final = "The agent cannot write into the container, whose root file system is read-only."
_SHARED: Final = "The agent runs in another container of the task, which shares a PID namespace."
_ANOTHER_LOOK: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class AgentMonitor:
    """Brings agents up. They end with their containers."""

    clock: Clock
    agenda: Agenda
    pace: Pace

    def watch(
        self, task: TaskRecord, container: ContainerRecord, runner: Runner, *, changed: Callable[[], None]
    ) -> None:
        """Begin with a container that has just been started; `changed` is told of what clients can see."""
        if container.agent is None:
            return
        container.agent = ManagedAgent()
        if not task.agentless:
            start = partial(self._start, task, container, runner, changed, container.run)
            self.agenda.after(self.pace.agent, start)

    def _start(
        self,
        task: TaskRecord,
        container: ContainerRecord,
        runner: Runner,
        changed: Callable[[], None],
        run: int,
    ) -> None:
        if container.agent is None or container.run != run or container.status != "RUNNING":
            return
        if container.spec.readonly_root_filesystem:
            container.agent = ManagedAgent(status="STOPPED", reason=_READONLY)
        elif _is_taken(task):
            container.agent = ManagedAgent(status="STOPPED", reason=_SHARED)
        elif task.real and runner.leader((task.id, container.spec.name)) is None:
            again = partial(self._start, task, container, runner, changed, run)
            self.agenda.after(_ANOTHER_LOOK, again)
            return
        else:
            container.agent = ManagedAgent(status="RUNNING", started=round(self.clock.now().timestamp(), 3))
        changed()


def _is_taken(task: TaskRecord) -> bool:
    """Containers that share a PID namespace have one agent. Whose is not documented: here the first's."""
    agents = (each.agent for each in task.containers.values())
    return task.definition.body.get("pidMode") == "task" and any(
        agent is not None and agent.status == "RUNNING" for agent in agents
    )
