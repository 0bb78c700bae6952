"""What RunTask does once a request is sound: capacity, quota, and a new task."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from app.local.fargate.config import ON_DEMAND, SPOT, FargateConfig
from app.local.fargate.definitions.container_spec import ContainerSpec
from app.local.fargate.definitions.revisions import TaskDefinition
from app.local.fargate.ecs import launch_rules
from app.local.fargate.ecs.overrides import overridden
from app.local.fargate.faults.mishaps import in_store
from app.local.fargate.faults.orders import Faults
from app.local.fargate.faults.outcomes import NO_CAPACITY, NO_SPOT_CAPACITY, OVER_QUOTA
from app.local.fargate.logs.store import LogTarget
from app.local.fargate.protocol.errors import invalid, throttled
from app.local.fargate.protocol.throttles import Throttles
from app.local.fargate.protocol.wire import Json
from app.local.fargate.running.images import is_runnable
from app.local.fargate.running.simulated import SCRIPT_VARIABLE, script_of
from app.local.fargate.tasks import foreign_container
from app.local.fargate.tasks.lifecycle import Lifecycle
from app.local.fargate.tasks.network import Network
from app.local.fargate.tasks.record import (
    ContainerRecord,
    ManagedAgent,
    TaskRecord,
    argv_of,
    environment_of,
)
from app.model.names import ATTEMPT_VARIABLE, IDENTITY_VARIABLE
from app.model.task import Identity, identity_from
from app.ports.clock import Clock

_SIMULATED_IMAGES: Final = "simulated/"
_UNITS_PER_VCPU: Final = 1024
_BUCKET: Final = {ON_DEMAND: "launch-on-demand", SPOT: "launch-spot"}


class Outcome(NamedTuple):
    """Tasks that were launched, and why others were not."""

    tasks: tuple[TaskRecord, ...]
    failures: tuple[str, ...]


class Whose(msgspec.Struct, frozen=True):
    """Which pod, and which attempt, the override variables name; None and 0 where they do not."""

    pod: Identity | None = None
    attempt: int = 0


@dataclass(kw_only=True)
class Launcher:
    """Makes tasks. `host_has` says whether this host can execute a command."""

    config: FargateConfig
    clock: Clock
    ids: Callable[[], str]
    throttles: Throttles
    faults: Faults
    network: Network
    lifecycle: Lifecycle
    host_has: Callable[[str], bool]
    _placements: Iterator[int] = field(default_factory=itertools.count)

    def launch(
        self, params: Json, *, definition: TaskDefinition, cluster_arn: str, strategy: launch_rules.Strategy
    ) -> Outcome:
        """Launch as many tasks as the request wants, or none; `strategy` is the one that holds for it.

        Raises:
            AwsError: the request is wrong, or launches are throttled.
        """
        definition = overridden(definition, params, self.config.images)
        capacity = launch_rules.capacity_of(params, strategy=strategy)
        subnet, zone = self._place(launch_rules.subnets_of(params))
        count = params.get("count", 1)
        shortage = self.faults.take("RunTask", "capacity", subnet=subnet, provider=capacity)
        if shortage is not None:
            return Outcome((), (shortage.message or NO_CAPACITY,) * count)
        if not self._has_quota(definition, capacity=capacity, count=count):
            return Outcome((), (OVER_QUOTA,) * count)
        if not self.throttles.draw((_BUCKET[capacity],), count=count, now=self.clock.steady()):
            raise throttled()
        tasks = []
        for _ in range(count):
            task = self._task(params, definition=definition, cluster_arn=cluster_arn)
            task.capacity, task.subnet, task.zone = capacity, subnet, zone
            self._prepare_mishaps(task)
            self.lifecycle.launch(task)
            tasks.append(task)
        return Outcome(tuple(tasks), ())

    def _place(self, subnets: tuple[str, ...]) -> tuple[str, str]:
        zones = {subnet: self.network.zone_of(subnet) for subnet in subnets}
        for subnet, zone in zones.items():
            if zone is None:
                raise invalid(
                    f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does not "
                    "exist (ErrorCode: InvalidSubnetID.NotFound)"
                )
        chosen = subnets[next(self._placements) % len(subnets)]
        return chosen, zones[chosen] or ""

    def _has_quota(self, definition: TaskDefinition, *, capacity: str, count: int) -> bool:
        if self.config.vcpu_quota is None:
            return True
        used = sum(
            each.definition.cpu
            for each in self.lifecycle.tasks.values()
            if each.status != "STOPPED" and each.capacity == capacity
        )
        return used + count * definition.cpu <= self.config.vcpu_quota * _UNITS_PER_VCPU

    def _task(self, params: Json, *, definition: TaskDefinition, cluster_arn: str) -> TaskRecord:
        task_id = self.ids().replace("-", "")
        whose = whose_task(params)
        cluster = cluster_arn.rsplit("/", 1)[-1]
        sessions = params.get("enableExecuteCommand", False)
        return TaskRecord(
            id=task_id,
            arn=self.config.arn(f"task/{cluster}/{task_id}"),
            cluster_arn=cluster_arn,
            definition=definition,
            params=params,
            capacity="",
            subnet="",
            zone="",
            attachment=self.ids(),
            real=self._is_real(params, definition),
            containers={
                each.name: self._container(each, task_id=task_id, cluster=cluster, sessions=sessions)
                for each in definition.containers
            },
            identity=whose.pod,
            attempt=whose.attempt,
            tags=list(self._tags(params, definition)),
            times={},
            visible_at=self.clock.steady() + self.config.pace.visible_after,
        )

    def _container(
        self, spec: ContainerSpec, *, task_id: str, cluster: str, sessions: bool
    ) -> ContainerRecord:
        options = spec.awslogs
        log = None
        if options is not None:
            stream = f"{options['awslogs-stream-prefix']}/{spec.name}/{task_id}"
            log = LogTarget(options["awslogs-group"], stream)
        container_id = self.ids()
        return ContainerRecord(
            spec=spec,
            arn=self.config.arn(f"container/{cluster}/{task_id}/{container_id}"),
            runtime_id=f"{task_id}-{int.from_bytes(container_id.encode()[-4:], 'big'):010d}",
            log=log,
            agent=ManagedAgent() if sessions else None,
        )

    def _tags(self, params: Json, definition: TaskDefinition) -> tuple[Json, ...]:
        inherited = definition.tags if params.get("propagateTags") == "TASK_DEFINITION" else ()
        tags = {each["key"]: each for each in (*inherited, *params.get("tags", ()))}
        return tuple(tags.values())

    def _is_real(self, params: Json, definition: TaskDefinition) -> bool:
        return not self.config.simulate_all and all(
            self._can_execute(each, params) for each in definition.containers
        )

    def _can_execute(self, spec: ContainerSpec, params: Json) -> bool:
        argv = argv_of(spec, params)
        scripted = SCRIPT_VARIABLE in environment_of(spec, params)
        simulated = spec.image.startswith(_SIMULATED_IMAGES)
        return (
            not scripted
            and not simulated
            and is_runnable(spec, argv, self.config.images, host_has=self.host_has)
        )

    def _prepare_mishaps(self, task: TaskRecord) -> None:
        scripts = [
            script_of(environment_of(each.spec, task.params).get(SCRIPT_VARIABLE))
            for each in task.containers.values()
        ]
        task.pull_error = next((each.pull_error for each in scripts if each.pull_error), "")
        pull = self.faults.take("RunTask", "pull-error")
        if pull is not None:
            task.pull_error = pull.message or "pull image manifest has been retried 5 time(s)"
        oom = self.faults.take("RunTask", "oom")
        if oom is not None:
            task.oom_after = oom.seconds
        task.agentless = self.faults.take("RunTask", "no-agent") is not None
        task.mishaps = in_store(self.faults, subnet=task.subnet, provider=task.capacity)
        for mishap in task.mishaps:
            if mishap.kind == "no-spot-capacity":
                task.refusal = mishap.message or NO_SPOT_CAPACITY
            elif mishap.kind == "foreign-container":
                task.foreign = (foreign_container.name_in(task.id),)


def whose_task(params: Json) -> Whose:
    """The pod and the attempt that a RunTask request names in its override variables."""
    overrides = params.get("overrides", {}).get("containerOverrides", ())
    variables = {
        variable.get("name"): variable.get("value", "")
        for override in overrides
        for variable in override.get("environment", ())
    }
    attempt = variables.get(ATTEMPT_VARIABLE, "")
    identity = variables.get(IDENTITY_VARIABLE)
    return Whose(
        pod=identity_from(identity) if identity is not None else None,
        attempt=int(attempt) if attempt.isdecimal() else 0,
    )
