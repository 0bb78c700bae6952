"""What several programs take, and the kinds of values that settings have."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from app.model.actuator import SCHEDULER, Actuator
from app.model.policy import PolicyError, duration
from app.model.quantity import QuantityError, exact
from app.model.setting import named
from app.settings.service_links import Environment

PREFIX: Final = "SPILLWAY_"
CERTIFICATE: Final = named("webhook", "tls_cert", "tls_key")
"""The same settings of every program that serves HTTPS."""


def _split(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return duration(value)
    except PolicyError as error:
        raise ValueError(str(error)) from error


def _quantity(value: str) -> str:
    try:
        exact(value)
    except QuantityError as error:
        raise ValueError(str(error)) from error
    return value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A list, written with commas."""

Duration = Annotated[timedelta, BeforeValidator(_seconds)]
"""A duration, written as 90, 90s, 2m or 1h30m."""

Quantity = Annotated[str, BeforeValidator(_quantity)]
"""A Kubernetes quantity."""

Port = Annotated[int, Field(ge=0, le=65535)]


class Common(BaseSettings):
    """What every program takes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (`Environment` stands in its place)
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags over environment; what Kubernetes set for Services is no setting."""
        return init_settings, Environment(settings_cls), dotenv_settings, file_secret_settings

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least severe log level shown."
    )
    log_format: Literal["json", "text"] = Field(
        "json", description="One JSON object per line, or text for a terminal."
    )


class InCluster(Common):
    """What the programs take that speak to a cluster."""

    kubeconfig: str = Field(
        "", description="A kubeconfig file; empty means $KUBECONFIG, then the in-cluster account."
    )
    namespace: str = Field("spillway", description="The namespace that holds Spillway's own Leases.")


class Actuating(BaseSettings):
    """How granted pods come onto the virtual node; webhook and extender of an installation must agree."""

    actuator: Actuator = Field(
        SCHEDULER,
        description="How granted pods come onto the virtual node: `scheduler`, through its extender, or "
        "`toleration`, which the extender's leader adds (for schedulers that know no extender). The same for "
        "webhook and extender.",
    )


class Serving(BaseSettings):
    """Where an HTTPS server listens, and its certificate."""

    host: str = Field("0.0.0.0", description="The address to listen on.")
    port: Port = Field(8443, description="The port to listen on.")
    tls_cert: Path | None = Field(None, description="PEM certificate chain; reloaded when the file changes.")
    tls_key: Path | None = Field(None, description="PEM private key of tls-cert.")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError(f"{CERTIFICATE} go together: give both or none")
        for path in (self.tls_cert, self.tls_key):
            if path is not None and not path.is_file():
                raise ValueError(f"{path} is not a file; mount the certificate there or name another path")
        return self
