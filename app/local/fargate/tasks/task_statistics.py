"""Statistics of a task's containers, each beside those of the look before."""

import os
from dataclasses import dataclass

from app.local.fargate.protocol.wire import Json
from app.local.fargate.running.burden import Burden, host_cpu
from app.local.fargate.tasks.gauges import Gauges
from app.local.fargate.tasks.record import TaskRecord
from app.local.fargate.tasks.statistics import Reading, described
from app.ports.clock import Clock


@dataclass(frozen=True, kw_only=True)
class StatisticsOfTasks:
    """Looks when it is asked."""

    clock: Clock
    gauges: Gauges

    def of(self, task: TaskRecord) -> Json:
        """Statistics by DockerId; None for a container that does not run."""
        measured = self.gauges.measure([task])
        return {
            each.runtime_id: self._container(task, name, measured.get((task.id, name)))
            for name, each in task.containers.items()
        }

    def _container(self, task: TaskRecord, name: str, burden: Burden | None) -> Json | None:
        container = task.containers[name]
        if burden is None:
            return None
        before = container.reading
        container.reading = reading = Reading(self.clock.now().timestamp(), burden, host_cpu())
        return described(
            reading,
            before,
            name=name,
            container=container.runtime_id,
            memory=container.spec.memory or task.definition.memory,
            cpus=os.cpu_count() or 1,
        )
