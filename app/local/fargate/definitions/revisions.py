"""Task definitions: families, their revisions, and the operations on them.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-definition-state.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from app.local.fargate.config import FargateConfig
from app.local.fargate.definitions import definition_rules
from app.local.fargate.definitions.container_spec import ContainerSpec
from app.local.fargate.protocol import pages
from app.local.fargate.protocol.errors import client_error, invalid
from app.local.fargate.protocol.wire import Json
from app.ports.clock import Clock

_MOST_DELETED: Final = 10
_INVALID: Final = (
    "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
)
_ABSENT: Final = (
    "The specified task definition does not exist. Specify a valid account, family, revision and try again."
)
_ACTIVE: Final = (
    "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
)


class TaskDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """One revision. `body` is the wire form that DescribeTaskDefinition answers.

    `deleted` is when its deletion was asked for, in steady seconds.
    """

    arn: str
    family: str
    revision: int
    body: Json
    tags: tuple[Json, ...]
    containers: tuple[ContainerSpec, ...]
    cpu: int
    memory: int
    deleted: float | None = None

    @property
    def status(self) -> str:
        """ACTIVE, INACTIVE or DELETE_IN_PROGRESS."""
        return str(self.body["status"])

    @property
    def short(self) -> str:
        """`family:revision`."""
        return f"{self.family}:{self.revision}"


class TaskDefinitions:
    """Every revision of every family; no number is ever given twice.

    `in_use` says whether a task that is not over yet was launched from the revision with an ARN.
    """

    def __init__(
        self, config: FargateConfig, *, clock: Clock, in_use: Callable[[str], bool] = lambda _arn: False
    ) -> None:
        self._config = config
        self._clock = clock
        self._in_use = in_use
        self._families: dict[str, dict[int, TaskDefinition]] = {}
        self._latest: dict[str, int] = {}

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that this part of ECS answers."""
        return {
            "RegisterTaskDefinition": self.register,
            "DescribeTaskDefinition": self.describe,
            "DeregisterTaskDefinition": self.deregister,
            "DeleteTaskDefinitions": self.delete,
            "ListTaskDefinitions": self.list_arns,
            "ListTaskDefinitionFamilies": self.list_families,
        }

    def register(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html."""
        containers = definition_rules.containers_of(params)
        definition_rules.require_runnable(params, containers)
        family = params["family"]
        revision = self._latest[family] = self._latest.get(family, 0) + 1
        arn = self._config.arn(f"task-definition/{family}:{revision}")
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
            family=family,
            revision=revision,
            body=body,
            tags=tuple(params.get("tags", ())),
            containers=containers,
            cpu=size.cpu,
            memory=size.memory,
        )
        self._families.setdefault(family, {})[revision] = definition
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
        if definition.status == "ACTIVE":
            definition = self._change(definition, {"status": "INACTIVE", "deregisteredAt": self._now()})
        return {"taskDefinition": definition.body}

    def delete(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteTaskDefinitions.html.

        A deleted revision is DELETE_IN_PROGRESS as long as a task of it runs, and for a while at least.
        """
        names = params["taskDefinitions"]
        if not 1 <= len(names) <= _MOST_DELETED:
            raise invalid(f"The list of task definitions must have 1 to {_MOST_DELETED} elements.")
        reasons = {name: self._hindrance(name) for name in names}
        deleted = [self._delete(name) for name, reason in reasons.items() if not reason]
        return {
            "taskDefinitions": [each.body for each in deleted],
            "failures": [{"arn": name, "reason": reason} for name, reason in reasons.items() if reason],
        }

    def _hindrance(self, name: str) -> str:
        if ":" not in name.rsplit("/", 1)[-1]:
            return _INVALID
        definition = self._find(name)
        if definition is None:
            return _ABSENT
        if definition.status == "ACTIVE":
            return _ACTIVE
        return ""

    def _delete(self, name: str) -> TaskDefinition:
        definition = self._find(name)
        if definition is None:
            raise client_error("The specified task definition does not exist.")
        if definition.deleted is not None:
            return definition
        changes = {"status": "DELETE_IN_PROGRESS", "deleteRequestedAt": self._now()}
        return self._change(definition, changes, deleted=self._clock.steady())

    def list_arns(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitions.html.

        `familyPrefix` is a whole family's name, as at AWS.
        """
        status = params.get("status", "ACTIVE")
        wanted = params.get("familyPrefix")
        families = sorted(self._families) if wanted is None else [wanted]
        arns = [each.arn for family in families for each in self._revisions(family) if each.status == status]
        if params.get("sort") == "DESC":
            arns.reverse()
        return pages.page(arns, params, member="taskDefinitionArns")

    def list_families(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTaskDefinitionFamilies.html.

        INACTIVE are those without any active revision; a family without any revision at all is not listed.
        """
        prefix, wanted = params.get("familyPrefix", ""), params.get("status", "ALL")
        statuses = {
            family: {each.status for each in self._revisions(family)}
            for family in sorted(self._families)
            if family.startswith(prefix)
        }
        families = [
            family
            for family, found in statuses.items()
            if found and wanted in {"ALL", "ACTIVE" if "ACTIVE" in found else "INACTIVE"}
        ]
        return pages.page(families, params, member="families")

    def runnable(self, name: str) -> TaskDefinition:
        """The revision that RunTask names.

        Raises:
            AwsError: there is none, or it is inactive.
        """
        definition = self._find(name)
        if definition is None:
            raise client_error("TaskDefinition not found.")
        if definition.status != "ACTIVE":
            raise client_error("TaskDefinition is inactive")
        return definition

    def tags_of(self, arn: str) -> Sequence[Json] | None:
        """The tags of the revision with this ARN, or None."""
        definition = self._find(arn)
        return definition.tags if definition is not None and definition.arn == arn else None

    def count(self) -> int:
        """How many revisions there are."""
        return sum(1 for family in list(self._families) for _ in self._revisions(family))

    def _find(self, name: str) -> TaskDefinition | None:
        prefix = self._config.arn("task-definition/")
        if name.startswith("arn:") and not name.startswith(prefix):
            return None
        family, _, revision = name.removeprefix(prefix).partition(":")
        revisions = list(self._revisions(family))
        if not revision:
            return next((each for each in reversed(revisions) if each.status == "ACTIVE"), None)
        return next((each for each in revisions if str(each.revision) == revision), None)

    def _revisions(self, family: str) -> Iterator[TaskDefinition]:
        """The revisions of a family in their order; those whose deletion is complete are gone by then."""
        revisions = self._families.get(family, {})
        for definition in list(revisions.values()):
            if self._is_gone(definition):
                del revisions[definition.revision]
            else:
                yield definition

    def _is_gone(self, definition: TaskDefinition) -> bool:
        if definition.deleted is None or self._in_use(definition.arn):
            return False
        return self._clock.steady() - definition.deleted >= self._config.pace.deleting

    def _change(
        self, definition: TaskDefinition, changes: Json, *, deleted: float | None = None
    ) -> TaskDefinition:
        body = definition.body | changes
        changed = msgspec.structs.replace(definition, body=body, deleted=deleted)
        self._families[changed.family][changed.revision] = changed
        return changed

    def _now(self) -> float:
        return round(self._clock.now().timestamp(), 3)
