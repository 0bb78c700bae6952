"""Task definitions, found and registered by family (app.ports.tasks.Definitions)."""

from app.aws import translate
from app.aws.connection import Connection
from app.aws.limiter import Lane, Limiter
from app.aws.paced import paced
from app.model.task import Definition
from app.model.wire import Json
from app.ports.failures import NotFound, Unavailable
from app.ports.tasks import Definitions


class EcsDefinitions(Definitions):
    """DescribeTaskDefinition and RegisterTaskDefinition."""

    def __init__(self, connection: Connection, *, limiter: Limiter) -> None:
        self._connection = connection
        self._limiter = limiter

    async def find(self, family: str) -> str:
        """The ARN of the family's newest ACTIVE revision, which is what ECS answers for a bare family."""
        answer = await paced(
            self._connection.control,
            self._limiter,
            Lane.FIND,
            "describe_task_definition",
            attempts=3,
            taskDefinition=family,
        )
        found = answer.get("taskDefinition", {})
        if found.get("status", "ACTIVE") != "ACTIVE":
            raise NotFound(f"task definition {family} has no active revision")
        return _arn(found)

    async def register(self, definition: Definition) -> str:
        """RegisterTaskDefinition, once: a repetition would add a second revision of the same content."""
        tags = [*definition.body.get("tags", ()), {"key": translate.MANAGED_BY, "value": "spillway"}]
        answer = await paced(
            self._connection.control,
            self._limiter,
            Lane.REGISTER,
            "register_task_definition",
            **{**definition.body, "family": definition.family, "tags": tags},
        )
        return _arn(answer.get("taskDefinition", {}))


def _arn(found: dict[str, Json]) -> str:
    arn = found.get("taskDefinitionArn")
    if not arn:
        raise Unavailable("ECS answered without the task definition's ARN")
    return str(arn)
