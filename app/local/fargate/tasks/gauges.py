"""What the containers of tasks take, measured; a simulated one takes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.local.fargate.running.burden import Burden, burdens
from app.local.fargate.running.workload import Key, Runner
from app.local.fargate.tasks.record import TaskRecord


@dataclass(frozen=True, kw_only=True)
class Gauges:
    """Measures; `runners` are the real one (True) and the simulating one (False)."""

    runners: Mapping[bool, Runner]

    def measure(self, tasks: Iterable[TaskRecord]) -> dict[Key, Burden]:
        """The burden of each container that runs now. Of one run, the CPU time never falls."""
        running = [
            (task, container)
            for task in tasks
            for container in task.containers.values()
            if container.status == "RUNNING"
        ]
        leaders = {
            (task.id, each.spec.name): self.runners[task.real].leader((task.id, each.spec.name))
            for task, each in running
        }
        found = burdens({leader for leader in leaders.values() if leader is not None})
        measured = {}
        for task, container in running:
            key = (task.id, container.spec.name)
            burden = found.get(leaders[key] or 0, Burden())
            container.cpu_time = max(container.cpu_time, burden.cpu)
            measured[key] = burden._replace(cpu=container.cpu_time)
        return measured
