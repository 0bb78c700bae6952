"""Settings of the extender."""

from datetime import timedelta
from typing import Self

from pydantic import Field, field_validator, model_validator

from app.model.address import is_loopback
from app.settings.common import Duration, InCluster, Serving


class ExtenderSettings(Serving, InCluster):
    """`spillway extender`; without a certificate it speaks plain HTTP, which only loopback may hear."""

    max_wait: Duration = Field(
        timedelta(0), description="How long pods wait for a real node, unless they say otherwise."
    )
    grant_ttl: Duration = Field(
        timedelta(seconds=60), description="How long a granted pod has to land on the virtual node."
    )
    identity: str = Field(
        "", description="This replica's name in the leader election; empty means the host name and pid."
    )
    lease_duration: Duration = Field(
        timedelta(seconds=15), description="How long leadership outlives its last renewal; at least 3 s."
    )

    @model_validator(mode="after")
    def _https_or_loopback(self) -> Self:
        if self.tls_cert is None and not is_loopback(self.host):
            raise ValueError(f"plain HTTP is for loopback only; on {self.host} give tls-cert and tls-key")
        return self

    @field_validator("lease_duration")
    @classmethod
    def _long_enough(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=3):
            raise ValueError("less than 3 s leaves no time to renew; write 3s or more")
        return value
