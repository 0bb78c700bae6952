"""Roles that EKS Pod Identity gives to service accounts (app.ports.roles.Roles).

https://docs.aws.amazon.com/eks/latest/APIReference/API_ListPodIdentityAssociations.html
"""

from typing import Final

from app.aws.connection import Connection
from app.aws.limiter import Lane, Limiter
from app.aws.paced import paced
from app.model.wire import Json
from app.ports.failures import NotFound
from app.ports.roles import Roles
from app.telemetry import logs

_log = logs.get(__name__)

_ATTEMPTS: Final = 3


class PodIdentityRoles(Roles):
    """The associations of one EKS cluster."""

    def __init__(self, connection: Connection, *, limiter: Limiter, cluster: str) -> None:
        """`cluster` is the EKS cluster's name; where it is empty, no account has a role."""
        self._connection = connection
        self._limiter = limiter
        self._cluster = cluster

    async def role_of(self, namespace: str, account: str) -> str:
        """The associated role's ARN; empty where there is no association.

        A target role (role chaining) is left to the container: ECS gives a task one role.

        Raises:
            NotFound: no such EKS cluster.
        """
        if not self._cluster:
            return ""
        listed = await self._ask(
            "list_pod_identity_associations", namespace=namespace, serviceAccount=account
        )
        found = [
            each
            for each in listed.get("associations", ())
            if (each.get("namespace"), each.get("serviceAccount")) == (namespace, account)
        ]
        return await self._role(found[0]["associationId"]) if found else ""

    async def _role(self, association: str) -> str:
        try:
            answer = await self._ask("describe_pod_identity_association", associationId=association)
        except NotFound:
            return ""  # removed since it was listed
        described = answer.get("association", {})
        if described.get("targetRoleArn"):
            _log.warning(
                "a task gets the association's own role, not its target role",
                association=association,
                target=described["targetRoleArn"],
            )
        return str(described.get("roleArn", ""))

    async def _ask(self, operation: str, **parameters: Json) -> dict[str, Json]:
        channel = await self._connection.channel("eks")
        return await paced(
            channel,
            self._limiter,
            Lane.IDENTITY,
            operation,
            attempts=_ATTEMPTS,
            clusterName=self._cluster,
            **parameters,
        )
