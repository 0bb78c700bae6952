"""Certificates signed by the cluster. All of it raises `app.ports.failures` only.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
"""

from typing import Protocol

import msgspec


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a certificate.

    Attributes:
        csr: PEM of the PKCS#10 request.
        signer: as `kubernetes.io/kubelet-serving`.
        usages: as `digital signature`, `server auth`.
    """

    csr: str
    signer: str
    usages: tuple[str, ...]


class Signing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a request is; `problem` is why there will be no certificate (Denied, Failed)."""

    name: str
    certificate: str = ""
    approved: bool = False
    problem: str = ""


class CertificateRequests(Protocol):
    """CertificateSigningRequests."""

    async def create(self, wanted: Wanted) -> Signing:
        """A new request, under a name that the API server makes."""
        ...

    async def get(self, name: str) -> Signing:
        """As it is now. Raises NotFound where it was collected."""
        ...

    async def approve(self, name: str, *, reason: str) -> Signing:
        """Approve it; approved already is success."""
        ...
