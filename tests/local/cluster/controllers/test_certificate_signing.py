"""The signer that EKS adds, and when anything is signed at all; kubelets' own is a conformance test."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.local.cluster.apiserver.api import Api
from app.local.cluster.controllers.certificate_signing import CertificateSigning
from app.local.cluster.controllers.signing_rules import APP_SERVING
from app.tls.authority import Authority
from tests.fakes import VirtualClock, settle

CSRS = "certificatesigningrequests"
USAGES = ["digital signature", "key encipherment", "server auth"]


@pytest.fixture
def authority(clock: VirtualClock) -> Authority:
    return Authority.create("tests", now=clock.now())


@pytest.fixture
async def api(clock: VirtualClock, authority: Authority) -> AsyncIterator[Api]:
    made = Api(clock=clock, ids=iter(f"uid-{each}" for each in range(1000)).__next__)
    running = asyncio.create_task(CertificateSigning(made, authority=authority, clock=clock).run())
    yield made
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def a_csr(*names: str) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anything")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        addresses = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(addresses, critical=False)
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


async def judged(api: Api, verdict: str, csr: str, usages: list[str] | None = None) -> dict[str, Any]:
    """The status of a request after this verdict."""
    spec = {"request": csr, "signerName": APP_SERVING, "usages": usages or USAGES}
    made = await api.create(CSRS, "", {"metadata": {"name": "csr"}, "spec": spec})
    condition = {"type": verdict, "status": "True"}
    await api.update(CSRS, "", "csr", made | {"status": {"conditions": [condition]}}, subresource="approval")
    await settle(200)
    status: dict[str, Any] = api.get(CSRS, "", "csr")["status"]
    return status


async def test_an_applications_certificate_is_signed_by_the_authority(api: Api, authority: Authority) -> None:
    status = await judged(api, "Approved", a_csr("virtual.example"))

    certificate = x509.load_pem_x509_certificate(base64.b64decode(status["certificate"]))
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.cert_pem))
    assert certificate.subject.rfc4514_string() == "CN=anything"


async def test_what_was_denied_is_not_signed(api: Api) -> None:
    assert "certificate" not in await judged(api, "Denied", a_csr("virtual.example"))


@pytest.mark.parametrize(
    ("csr", "usages", "why"),
    [
        pytest.param(a_csr(), USAGES, "DNS or IP subjectAltName is required", id="no address"),
        pytest.param(
            a_csr("virtual.example"),
            ["client auth"],
            "usages are not among [digital signature key encipherment server auth]",
            id="usages",
        ),
    ],
)
async def test_what_breaks_the_rules_fails_and_is_left_alone(
    api: Api, csr: str, usages: list[str], why: str
) -> None:
    status = await judged(api, "Approved", csr, usages)
    version = api.get(CSRS, "", "csr")["metadata"]["resourceVersion"]
    await settle(200)

    assert (status["conditions"][-1]["type"], status["conditions"][-1]["message"]) == ("Failed", why)
    assert api.get(CSRS, "", "csr")["metadata"]["resourceVersion"] == version
