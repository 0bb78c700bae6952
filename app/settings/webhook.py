"""Settings of the webhook."""

from typing import Self

from pydantic import Field, model_validator

from app.settings.common import Common, Serving


class WebhookSettings(Serving, Common):
    """`spillway webhook`."""

    scheduler_name: str = Field(
        "", description="schedulerName for opted-in pods that name none; empty leaves it alone."
    )

    @model_validator(mode="after")
    def _https_only(self) -> Self:
        if self.tls_cert is None:
            raise ValueError("the API server calls webhooks over HTTPS only: give tls-cert and tls-key")
        return self
