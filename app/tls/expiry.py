"""When the certificates end that a program serves, as a metric."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from cryptography import x509
from prometheus_client import CollectorRegistry, Gauge

from app.telemetry import logs
from app.tls.authority import Leaf
from app.tls.reading import CANNOT_READ

METRIC: Final = "spillway_certificate_not_after_seconds"
_log = logs.get(__name__)

Loaded = Callable[[Leaf], None]
"""Called with each pair that is taken into service."""


def unheard(_pair: Leaf) -> None:
    """For a server whose certificate nobody follows."""


class CertificateExpiry:
    """The gauge of one program; its value is Unix time, as that of cert-manager's gauge."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauge = Gauge(
            METRIC,
            "When the certificate ends that is served or kept now, in seconds since 1970; by what it is for.",
            ["certificate", "node"],
            registry=registry,
        )

    def of(self, certificate: str, *, node: str = "") -> Loaded:
        """What to call whenever this certificate is taken into service; a chain ends with its first to end.

        Args:
            certificate: as `webhook`.
            node: the virtual node that it serves, if any.
        """

        def loaded(pair: Leaf) -> None:
            self.shows(certificate, pair.cert_pem, node=node)

        return loaded

    def shows(self, certificate: str, cert_pem: bytes, *, node: str = "") -> None:
        """The end of this chain from now on; nothing is shown where there is none that can be read."""
        try:
            chain = x509.load_pem_x509_certificates(cert_pem)
            until = min(each.not_valid_after_utc for each in chain)
        except CANNOT_READ as error:
            if cert_pem:
                _log.warning(
                    "the certificate's end cannot be read", certificate=certificate, error=str(error)
                )
            self.forget(certificate, node=node)
            return
        self._gauge.labels(certificate, node).set(until.timestamp())

    def forget(self, certificate: str, *, node: str = "") -> None:
        """Show it no longer."""
        with suppress(KeyError):  # it was not shown
            self._gauge.remove(certificate, node)
