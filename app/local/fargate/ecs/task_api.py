"""RunTask, StopTask, DescribeTasks, ListTasks: the requests about tasks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from app.local.fargate.config import FargateConfig
from app.local.fargate.definitions.revisions import TaskDefinitions
from app.local.fargate.ecs import launch_rules
from app.local.fargate.ecs.client_tokens import ClientTokens
from app.local.fargate.ecs.clusters import Clusters
from app.local.fargate.ecs.launcher import Launcher
from app.local.fargate.faults.orders import Fault, Faults, share_of
from app.local.fargate.protocol import pages
from app.local.fargate.protocol.errors import AwsError, invalid
from app.local.fargate.protocol.wire import Json
from app.local.fargate.tasks.description import described
from app.local.fargate.tasks.lifecycle import USER_INITIATED, Lifecycle
from app.local.fargate.tasks.record import TaskRecord
from app.ports.clock import Clock

_MOST_DESCRIBED: Final = 100
_MISSING: Final = "MISSING"
_TASK_NOT_FOUND: Final = "The referenced task was not found."
_FILTERS: Final = ("containerInstance", "family", "serviceName", "desiredStatus", "launchType")


@dataclass(kw_only=True)
class TaskApi:
    """Answers requests that satisfy the service model."""

    config: FargateConfig
    clock: Clock
    clusters: Clusters
    definitions: TaskDefinitions
    lifecycle: Lifecycle
    launcher: Launcher
    faults: Faults
    _tokens: dict[str, ClientTokens] = field(default_factory=dict)

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that this part of ECS answers."""
        return {
            "RunTask": self.run,
            "StopTask": self.stop,
            "DescribeTasks": self.describe,
            "ListTasks": self.list_arns,
            "ListTagsForResource": self.list_tags,
        }

    def run(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html."""
        cluster = self.clusters.arn_of(params)
        tokens = self._tokens.setdefault(
            cluster, ClientTokens(knows=lambda each: each in self.lifecycle.tasks)
        )
        now = self.clock.steady()
        use = tokens.used(params, now=now)
        if use is not None:
            return {"tasks": [_again(self.lifecycle.tasks[each]) for each in use.ids], "failures": []}
        definition = self.definitions.runnable(params["taskDefinition"])
        launch_rules.require_runnable(params, containers={each.name for each in definition.containers})
        launch_rules.require_role(params, role=definition.body.get("taskRoleArn", ""))
        strategy = self.clusters.strategy_for(params)
        outcome = self.launcher.launch(params, definition=definition, cluster_arn=cluster, strategy=strategy)
        if outcome.tasks:
            ids = [each.id for each in outcome.tasks]
            tokens.note(params, ids=ids, arns=[each.arn for each in outcome.tasks], now=now)
        failures = [{"arn": None, "reason": reason} for reason in outcome.failures]
        return {"tasks": [described(each, tags=True) for each in outcome.tasks], "failures": failures}

    def stop(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html.

        The task's tags are gone from then on. A task that is not visible yet can be stopped all the same.
        """
        cluster = self.clusters.arn_of(params)
        task = self.find(params["task"], cluster=cluster)
        if task is None:
            raise invalid(_TASK_NOT_FOUND)
        task.tags = []
        reason = params.get("reason", "Task stopped by user")
        self.lifecycle.stop(task, code=USER_INITIATED, reason=reason)
        return {"task": described(task)}

    def describe(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html."""
        cluster = self.clusters.arn_of(params)
        names = params["tasks"]
        if not names:
            raise invalid("Tasks cannot be empty.")
        if len(names) > _MOST_DESCRIBED:
            raise invalid(f"Tasks cannot contain more than {_MOST_DESCRIBED} elements.")
        tags = "TAGS" in params.get("include", ())
        fault = self.faults.take("DescribeTasks", "partial")
        found = {each: self._seen(each, fault, cluster=cluster) for each in names}
        return {
            "tasks": [described(task, tags=tags) for task in found.values() if task is not None],
            "failures": [
                {"arn": self._arn(each, cluster=cluster), "reason": _MISSING}
                for each, task in found.items()
                if task is None
            ],
        }

    def list_arns(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html."""
        cluster = self.clusters.arn_of(params)
        if "startedBy" in params and any(name in params for name in _FILTERS):
            raise invalid("When startedBy is specified, it must be the only filter.")
        if "serviceName" in params:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        if "containerInstance" in params:
            raise invalid("There are no container instances on Fargate.")
        fault = self.faults.take("ListTasks", "partial")
        arns = [
            each.arn
            for each in self.lifecycle.tasks.values()
            if each.cluster_arn == cluster
            and self._is_visible(each)
            and _listed(each, params)
            and not _left_out(each, fault)
        ]
        return pages.page(arns, params, member="taskArns")

    def list_tags(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTagsForResource.html."""
        arn = params["resourceArn"]
        task = self.lifecycle.tasks.get(arn.rsplit("/", 1)[-1])
        tags = task.tags if task is not None and task.arn == arn else self.definitions.tags_of(arn)
        if tags is None:
            raise invalid("The specified resource is not found.")
        return {"tags": list(tags)}

    def find(self, name: str, *, cluster: str) -> TaskRecord | None:
        """The task with this id or ARN; None where there is none in the cluster with this ARN."""
        task = self.lifecycle.tasks.get(name.rsplit("/", 1)[-1])
        named = task is not None and name in {task.id, task.arn}
        return task if named and task is not None and task.cluster_arn == cluster else None

    def _seen(self, name: str, fault: Fault | None, *, cluster: str) -> TaskRecord | None:
        task = self._visible(name, cluster=cluster)
        return task if task is not None and not _left_out(task, fault) else None

    def _visible(self, name: str, *, cluster: str) -> TaskRecord | None:
        task = self.find(name, cluster=cluster)
        return task if task is not None and self._is_visible(task) else None

    def _is_visible(self, task: TaskRecord) -> bool:
        return self.clock.steady() >= task.visible_at

    def _arn(self, name: str, *, cluster: str) -> str:
        if name.startswith("arn:"):
            return name
        return self.config.arn(f"task/{cluster.rsplit('/', 1)[-1]}/{name}")


def _again(task: TaskRecord) -> Json:
    """The answer to a repeated RunTask: the task as it is, and of a stopped one only its states."""
    view = described(task, tags=True)
    if task.status != "STOPPED":
        return view
    return {name: view[name] for name in ("taskArn", "lastStatus", "desiredStatus")}


def _left_out(task: TaskRecord, fault: Fault | None) -> bool:
    return fault is not None and share_of(fault.seed, task.id) < fault.share


def _listed(task: TaskRecord, params: Json) -> bool:
    return (
        task.desired == params.get("desiredStatus", "RUNNING")
        and params.get("startedBy") in {None, task.params.get("startedBy")}
        and params.get("family") in {None, task.definition.family}
        and params.get("launchType", "FARGATE") == "FARGATE"
    )
