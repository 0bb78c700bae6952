"""A signer of certificates, and a cluster's authorities, as the test has them."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from app.ports.access import ClientAuthorities
from app.ports.certificates import CertificateRequests, Signing, Wanted
from app.ports.failures import NotFound, Refused
from app.tls.authority import Authority

if TYPE_CHECKING:
    from app.ports.failures import PortFailure


class FakeAuthorities(ClientAuthorities):
    """Says `text`, or fails."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.failure: PortFailure | None = None

    async def pem(self) -> str:
        if self.failure is not None:
            raise self.failure
        return self.text


class FakeSigner(CertificateRequests):
    """Keeps requests; the test signs, denies and collects them."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.wanted: list[Wanted] = []
        self.requests: dict[str, Signing] = {}
        self.failure: PortFailure | None = None
        self.refuses_approval = False

    async def create(self, wanted: Wanted) -> Signing:
        self._may_fail()
        self.wanted.append(wanted)
        name = f"csr-{len(self.wanted)}"
        self.requests[name] = Signing(name=name)
        return self.requests[name]

    async def get(self, name: str) -> Signing:
        self._may_fail()
        if name not in self.requests:
            raise NotFound(f"{name} not found")
        return self.requests[name]

    async def approve(self, name: str, *, reason: str) -> Signing:
        await self.get(name)
        if self.refuses_approval:
            raise Refused("may not approve")
        self.change(name, approved=True)
        return self.requests[name]

    def change(self, name: str, **fields: object) -> None:
        self.requests[name] = msgspec.structs.replace(self.requests[name], **fields)

    def sign(self, name: str, *, now: datetime, life: timedelta = timedelta(days=100)) -> None:
        """Sign what was asked for, as it was asked for."""
        csr = x509.load_pem_x509_csr(self.wanted[int(name.removeprefix("csr-")) - 1].csr.encode())
        ca = x509.load_pem_x509_certificate(self.authority.cert_pem)
        key = serialization.load_pem_private_key(self.authority.key_pem, password=None)
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        signed = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(ca.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + life)
            .add_extension(names.value, critical=False)
            .sign(key, hashes.SHA256())  # type: ignore[arg-type]  # the authority's is one that signs
        )
        pem = signed.public_bytes(serialization.Encoding.PEM).decode()
        self.change(name, approved=True, certificate=pem)

    def _may_fail(self) -> None:
        if self.failure is not None:
            raise self.failure
