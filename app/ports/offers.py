"""What Fargate charges, and how much of it there is. All of it raises `app.ports.failures` only."""

from typing import Protocol

from app.model.offer import Rates, VcpuQuota


class Offers(Protocol):
    """AWS's price list and Service Quotas, for one region."""

    async def rates(self) -> Rates:
        """What the region charges now.

        https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html
        """
        ...

    async def quota(self) -> VcpuQuota:
        """How many vCPUs may run at once.

        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
        """
        ...
