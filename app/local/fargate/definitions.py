"""Task definitions: families, their revisions, and the operations on them."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from app.local.fargate import definition_rules, pages
from app.local.fargate.config import FargateConfig
from app.local.fargate.container_spec import ContainerSpec
from app.local.fargate.errors import client_error
from app.local.fargate.wire import Json
from app.ports.clock import Clock


class TaskDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One revision. `body` is the wire form that DescribeTaskDefinition answers."""

    arn: str
    family: str
    revision: int
    active: bool
    body: Json
    tags: tuple[Json, ...]
    containers: tuple[ContainerSpec, ...]
    cpu: int
    memory: int

    @property
    def short(self) -> str:
        """`family:revision`."""
        return f"{self.family}:{self.revision}"


class TaskDefinitions:
    """Every revision of every family; deregistered revisions keep their numbers."""

    def __init__(self, config: FargateConfig, *, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._families: dict[str, list[TaskDefinition]] = {}

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that this part of ECS answers."""
        return {
            "RegisterTaskDefinition": self.register,
            "DescribeTaskDefinition": self.describe,
            "DeregisterTaskDefinition": self.deregister,
            "ListTaskDefinitions": self.list_arns,
        }

    def register(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html."""
        containers = definition_rules.containers_of(params)
        definition_rules.require_runnable(params, containers)
        revisions = self._families.setdefault(params["family"], [])
        revision = len(revisions) + 1
        arn = self._config.arn(f"task-definition/{params['family']}:{revision}")
        size = definition_rules.size_of(params)
        body = definition_rules.described(params) | {
            "taskDefinitionArn": arn,
            "revision": revision,
            "status": "ACTIVE",
            "registeredAt": self._now(),
            "registeredBy": self._config.arn("root", service="iam").replace(self._config.region, ""),
        }
        definition = TaskDefinition(
            arn=arn,
            family=params["family"],
            revision=revision,
            active=True,
            body=body,
            tags=tuple(params.get("tags", ())),
            containers=containers,
            cpu=size.cpu,
            memory=size.memory,
        )
        revisions.append(definition)
        return {"taskDefinition": body, "tags": list(definition.tags)}

    def describe(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html.

        A family alone means its latest active revision; an inactive one is described when named in full.
        """
        definition = self._find(params["taskDefinition"])
        if definition is None:
            raise client_error("Unable to describe task definition.")
        tags = list(definition.tags) if "TAGS" in params.get("include", ()) else []
        return {"taskDefinition": definition.body, "tags": tags}

    def deregister(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeregisterTaskDefinition.html."""
        name = params["taskDefinition"]
        if ":" not in name.rsplit("/", 1)[-1]:
            raise client_error("Invalid revision number. Number: ")
        definition = self._find(name)
        if definition is None:
            raise client_error("The specified task definition does not exist.")
        gone = msgspec.structs.replace(
            definition,
            active=False,
            body=definition.body | {"status": "INACTIVE", "deregisteredAt": self._now()},
        )
        self._families[gone.family][gone.revision - 1] = gone
        return {"taskDefinition": gone.body}

    def list_arns(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitions.html.

        `familyPrefix` is a whole family's name, as at AWS.
        """
        active = params.get("status", "ACTIVE") == "ACTIVE"
        wanted = params.get("familyPrefix")
        families = sorted(self._families) if wanted is None else [wanted]
        arns = [
            each.arn
            for family in families
            for each in self._families.get(family, ())
            if each.active is active
        ]
        if params.get("sort") == "DESC":
            arns.reverse()
        return pages.page(arns, params, member="taskDefinitionArns")

    def runnable(self, name: str) -> TaskDefinition:
        """The revision that RunTask names.

        Raises:
            AwsError: there is none, or it is inactive.
        """
        definition = self._find(name)
        if definition is None:
            raise client_error("TaskDefinition not found.")
        if not definition.active:
            raise client_error("TaskDefinition is inactive")
        return definition

    def tags_of(self, arn: str) -> Sequence[Json] | None:
        """The tags of the revision with this ARN, or None."""
        definition = self._find(arn)
        return definition.tags if definition is not None and definition.arn == arn else None

    def count(self) -> int:
        """How many revisions there are."""
        return sum(map(len, self._families.values()))

    def _find(self, name: str) -> TaskDefinition | None:
        prefix = self._config.arn("task-definition/")
        if name.startswith("arn:") and not name.startswith(prefix):
            return None
        family, _, revision = name.removeprefix(prefix).partition(":")
        revisions = self._families.get(family, [])
        if not revision:
            return next((each for each in reversed(revisions) if each.active), None)
        return next((each for each in revisions if str(each.revision) == revision), None)

    def _now(self) -> float:
        return round(self._clock.now().timestamp(), 3)
