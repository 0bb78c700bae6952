"""Settings of the issuer."""

import re
from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from app.model.setting import named
from app.settings.common import Duration, InCluster, Names, Port

_LIFETIME: Final = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s?)?")
_LONGEST: Final = timedelta(days=36500)
_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*|[0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*")
_TENTHS: Final = 10
"""A CA's successor signs during the last tenth of its life."""
_RENEW: Final = named("issuer", "renew_before")


def _lifetime(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _LIFETIME.fullmatch(value)
    if not value or match is None:
        raise ValueError(f'"{value[:40]}" is not a lifetime; write for instance 90d, 2160h or 1d12h')
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    lifetime = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta(seconds=1) <= lifetime <= _LONGEST:
        raise ValueError(f'"{value}" is no time from a second to a hundred years; write for instance 90d')
    return lifetime


Lifetime = Annotated[timedelta, BeforeValidator(_lifetime)]
"""How long a certificate is valid, written as 90d, 2160h or 1d12h."""


class IssuerSettings(InCluster):
    """`spillway issuer`."""

    namespace: str = Field("spillway", description="The namespace of the Services and the Secrets.")
    services: Names = Field(
        ("spillway-webhook", "spillway-extender"),
        description="The Services of the namespace that the serving certificate is for, with commas; each by "
        "NAME, NAME.NAMESPACE, NAME.NAMESPACE.svc and NAME.NAMESPACE.svc.cluster.local.",
    )
    extra_names: Names = Field(
        (), description="Further DNS names and IP addresses of the serving certificate, with commas."
    )
    tls_secret: str = Field(
        "spillway-tls",
        description="The Secret with the serving certificate (tls.crt, tls.key) and what its clients trust "
        "(ca.crt).",
    )
    ca_secret: str = Field(
        "spillway-ca",
        description="The Secret with the CA and its key; nobody mounts it. Delete it to get a new CA.",
    )
    webhook_configuration: str = Field(
        "spillway",
        description="The MutatingWebhookConfiguration whose entries get the CA (caBundle).",
    )
    leaf_validity: Lifetime = Field(
        timedelta(days=90), description="How long a serving certificate is valid, as 90d or 2160h."
    )
    renew_before: Lifetime = Field(
        timedelta(days=30), description="How long before its end a serving certificate is renewed."
    )
    ca_validity: Lifetime = Field(
        timedelta(days=3650),
        description="How long a CA is valid. After 80% of that its successor is announced, and signs from "
        "90% on: kube-schedulers, which read the CA at their start alone, must be restarted in between.",
    )
    propagation: Duration = Field(
        timedelta(minutes=10),
        description="How long a changed Secret may take into every pod that mounts it; kubelets take up to "
        "two minutes.",
    )
    once: bool = Field(
        default=False,
        description="Do what is to be done now, and end; a webhook configuration that is not there yet is "
        "told of, and not waited for.",
    )
    probe_host: str = Field("0.0.0.0", description="The address for /healthz, /readyz and /metrics.")
    probe_port: Port = Field(8080, description="The port for /healthz, /readyz and /metrics (plain HTTP).")

    @field_validator("services", "extra_names")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if _NAME.fullmatch(each) is None:
                raise ValueError(f"{each[:80]} is no DNS name and no IP address; write it in lower case")
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not self.services and not self.extra_names:
            raise ValueError(
                f"a serving certificate needs a name: give {named('issuer', 'services')} or "
                f"{named('issuer', 'extra_names')}"
            )
        if self.ca_secret == self.tls_secret:
            raise ValueError(
                f"{named('issuer', 'ca_secret')} holds a key that nobody may mount: name another than "
                f"{named('issuer', 'tls_secret')}"
            )
        if self.renew_before >= self.leaf_validity:
            raise ValueError(
                f"{_RENEW} must be shorter than {named('issuer', 'leaf_validity')}, as a third of it"
            )
        if self.propagation >= self.renew_before:
            raise ValueError(
                "a renewed certificate must reach the pods before the old one ends: "
                f"give a {named('issuer', 'propagation')} shorter than {_RENEW}"
            )
        if self.ca_validity < _TENTHS * self.renew_before:
            raise ValueError(
                "a CA's successor signs during the last tenth of its life: "
                f"give a {named('issuer', 'ca_validity')} of at least ten times {_RENEW}"
            )
        return self
