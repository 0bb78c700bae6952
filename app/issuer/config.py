"""What the issuer keeps, and for how long it is valid."""

from datetime import timedelta

import msgspec


class IssuerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One installation.

    Attributes:
        ca_secret: the Secret with the CA and its key.
        tls_secret: the Secret that the servers mount.
        registration: the MutatingWebhookConfiguration.
        dns: names of the serving certificate.
        ips: addresses of the serving certificate.
        leaf_validity: how long it is valid.
        renew_before: how long before its end it is renewed.
        ca_validity: how long a CA is valid.
        propagation: how long a changed Secret may take into the pods that mount it.
    """

    ca_secret: str
    tls_secret: str
    registration: str
    dns: tuple[str, ...]
    ips: tuple[str, ...] = ()
    leaf_validity: timedelta = timedelta(days=90)
    renew_before: timedelta = timedelta(days=30)
    ca_validity: timedelta = timedelta(days=3650)
    propagation: timedelta = timedelta(minutes=10)

    @property
    def names(self) -> frozenset[str]:
        """All names of the serving certificate."""
        return frozenset((*self.dns, *self.ips))


def service_names(service: str, namespace: str) -> tuple[str, ...]:
    """The names at which a Service is reached.

    https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#services
    """
    return (
        service,
        f"{service}.{namespace}",
        f"{service}.{namespace}.svc",
        f"{service}.{namespace}.svc.cluster.local",
    )
