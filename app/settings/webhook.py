"""Settings of the webhook."""

from typing import Self

from pydantic import Field, model_validator

from app.model.actuator import TOLERATION
from app.model.setting import named
from app.settings.common import CERTIFICATE, Actuating, Common, Serving


class WebhookSettings(Actuating, Serving, Common):
    """`spillway webhook`."""

    scheduler_name: str = Field(
        "", description="schedulerName for opted-in pods that name none; empty leaves it alone."
    )

    @model_validator(mode="after")
    def _https_only(self) -> Self:
        if self.tls_cert is None:
            raise ValueError(f"the API server calls webhooks over HTTPS only: give {CERTIFICATE}")
        return self

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.actuator == TOLERATION and self.scheduler_name:
            raise ValueError(
                f"{named('webhook', 'scheduler_name')} and {named('webhook', 'actuator')} {TOLERATION} "
                "exclude each other: the latter is for pods that keep their scheduler; leave one out"
            )
        return self
