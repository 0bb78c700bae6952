"""A task as the embedded Fargate keeps it, and what its containers are to run."""

from dataclasses import dataclass, field

from app.local.fargate.definitions.container_spec import ContainerSpec
from app.local.fargate.definitions.revisions import TaskDefinition
from app.local.fargate.faults.mishaps import Mishap
from app.local.fargate.logs.store import LogTarget
from app.local.fargate.protocol.wire import Json
from app.local.fargate.running.workload import Workload
from app.local.fargate.tasks.network import Interface
from app.local.fargate.tasks.ordering import State
from app.local.fargate.tasks.statistics import Reading
from app.model.task import Identity


@dataclass(slots=True, kw_only=True)
class ManagedAgent:
    """The agent that sessions in a container need; `started` is in epoch seconds."""

    status: str = "PENDING"
    reason: str = ""
    started: float | None = None


@dataclass(slots=True, kw_only=True)
class ContainerRecord:
    """One container of a task. `doom` is why it will have been killed, once it is.

    `secrets` are the values of its secret variables while the task runs; `times` its epoch seconds by their
    names at the metadata endpoint. `run` counts its starts; `late` says that it has run longer than its
    startTimeout. `agent` is there where RunTask enabled sessions. `cpu_time` are the
    nanoseconds that its present run was seen to have used; `reading` is the last one of its statistics.
    """

    spec: ContainerSpec
    arn: str
    runtime_id: str
    log: LogTarget | None
    status: str = "PENDING"
    exit_code: int | None = None
    reason: str = ""
    doom: str = ""
    started: float | None = None
    stopping: bool = False
    times: dict[str, float] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    health: str = "UNKNOWN"
    run: int = 0
    late: bool = False
    agent: ManagedAgent | None = None
    cpu_time: int = 0
    reading: Reading | None = None

    @property
    def state(self) -> State:
        """As the ordering rules look at it."""
        started = self.started is not None
        return State(self.status, self.exit_code, started=started, health=self.health, late=self.late)


@dataclass(slots=True, kw_only=True)
class TaskRecord:
    """One task. Times in `times` are epoch seconds by their wire names; `visible_at` is steady seconds.

    `capacity` is FARGATE or FARGATE_SPOT; `real` says whether its containers are processes of this host.
    `refusal` (before it is placed), `pull_error`, `oom_after` and `mishaps` are what awaits it. `noticed`
    says that AWS gave it notice: its containers are being stopped while it is still RUNNING; `untold` that a
    container has started since its last version. `foreign` are containers that AWS put beside its own;
    `agentless` that no session can be opened in it though it was to be possible.
    """

    id: str
    arn: str
    cluster_arn: str
    definition: TaskDefinition
    params: Json
    capacity: str
    subnet: str
    zone: str
    attachment: str
    real: bool
    containers: dict[str, ContainerRecord]
    identity: Identity | None
    attempt: int
    tags: list[Json]
    times: dict[str, float]
    visible_at: float
    status: str = "PROVISIONING"
    desired: str = "RUNNING"
    version: int = 0
    interface: Interface | None = None
    interface_status: str = "PRECREATED"
    stop_code: str = ""
    stopped_reason: str = ""
    pull_error: str = ""
    refusal: str = ""
    oom_after: float | None = None
    mishaps: tuple[Mishap, ...] = ()
    noticed: bool = False
    untold: bool = False
    foreign: tuple[str, ...] = ()
    agentless: bool = False

    @property
    def specs(self) -> dict[str, ContainerSpec]:
        """The containers' definitions by name."""
        return {name: each.spec for name, each in self.containers.items()}

    @property
    def states(self) -> dict[str, State]:
        """The containers' states by name."""
        return {name: each.state for name, each in self.containers.items()}


def override_of(params: Json, container: str) -> Json:
    """What RunTask overrides of a container."""
    overrides = params.get("overrides", {}).get("containerOverrides", ())
    return next((each for each in overrides if each.get("name") == container), {})


def argv_of(spec: ContainerSpec, params: Json) -> tuple[str, ...]:
    """The container's entry point and command; the image's own are not known here."""
    command = override_of(params, spec.name).get("command", spec.command)
    return (*spec.entry_point, *command)


def environment_of(spec: ContainerSpec, params: Json) -> dict[str, str]:
    """The variables of the definition, as RunTask overrides them."""
    overridden = override_of(params, spec.name).get("environment", ())
    return {
        **{each.name: each.value for each in spec.environment},
        **{each["name"]: each.get("value", "") for each in overridden if "name" in each},
    }


def workload_of(task: TaskRecord, container: ContainerRecord, *, region: str) -> Workload:
    """What a runner is to run; Fargate's own variables come first, so that the pod's may replace them."""
    spec = container.spec
    host = {"HOSTNAME": task.interface.private_dns} if task.interface is not None else {}
    return Workload(
        task=task.id,
        container=spec.name,
        argv=argv_of(spec, task.params),
        environment={
            **host,
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            **environment_of(spec, task.params),
        },
        working_directory=spec.working_directory,
    )
