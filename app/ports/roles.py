"""Which role AWS gives a service account. All of it raises `app.ports.failures` only."""

from typing import Protocol


class Roles(Protocol):
    """EKS Pod Identity."""

    async def role_of(self, namespace: str, account: str) -> str:
        """The associated role's ARN; empty where there is no association.

        https://docs.aws.amazon.com/eks/latest/userguide/pod-id-association.html
        """
        ...
