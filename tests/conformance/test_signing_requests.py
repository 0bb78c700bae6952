"""CertificateSigningRequests: approved, and signed or failed by the signer for kubelets' certificates."""

import base64
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from time import monotonic, sleep
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.conformance.servers import STRATEGIC, ApiServer, Json, unique

REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
SERVING = "kubernetes.io/kubelet-serving"
USAGES = ["digital signature", "server auth"]
ADDRESS = x509.IPAddress(ip_address("10.0.0.7"))
APPROVED: Json = {"type": "Approved", "status": "True", "reason": "Tests", "message": "it is ours"}


def a_csr(
    common_name: str = "system:node:virtual",
    organization: str = "system:nodes",
    names: tuple[x509.GeneralName, ...] = (ADDRESS,),
) -> bytes:
    subject = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
        x509.NameAttribute(NameOID.COMMON_NAME, common_name),
    ]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def a_request(name: str, csr: bytes | None = None, **spec: Any) -> Json:
    wanted = {
        "request": base64.b64encode(csr or a_csr()).decode(),
        "signerName": SERVING,
        "usages": USAGES,
        **spec,
    }
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
        "spec": wanted,
    }


@pytest.fixture
def name(api: ApiServer) -> Iterator[str]:
    made = unique("csr")
    yield made
    api.delete(f"{REQUESTS}/{made}")


def created(api: ApiServer, name: str, csr: bytes | None = None, **spec: Any) -> Json:
    answer = api.post(REQUESTS, a_request(name, csr, **spec))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def approved(api: ApiServer, name: str, csr: bytes | None = None, **spec: Any) -> Json:
    request = created(api, name, csr, **spec)
    request["status"] = {"conditions": [APPROVED]}
    answer = api.put(f"{REQUESTS}/{name}/approval", request)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def settled(api: ApiServer, name: str) -> Json:
    """The status, once there is a certificate or a failure."""
    ends = monotonic() + 60
    while monotonic() < ends:
        status: Json = api.get(f"{REQUESTS}/{name}").json()["status"]
        if "certificate" in status or any(each["type"] == "Failed" for each in status["conditions"]):
            return status
        sleep(0.05)
    raise AssertionError(f"{name} is neither signed nor failed")


def test_a_request_says_who_asked(api: ApiServer, name: str) -> None:
    made = created(api, name, username="somebody", groups=["else"])

    assert made["spec"]["username"] in {"admin", "kubernetes-admin"}
    assert "system:masters" in made["spec"]["groups"]
    assert made["status"] == {}


def test_an_approved_request_is_signed(api: ApiServer, name: str) -> None:
    approved(api, name)

    status = settled(api, name)

    certificate = x509.load_pem_x509_certificate(base64.b64decode(status["certificate"]))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert certificate.subject.rfc4514_string() == "CN=system:node:virtual,O=system:nodes"
    assert list(names) == [ADDRESS]
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert usage.digital_signature
    assert not usage.key_encipherment
    assert [each["type"] for each in status["conditions"]] == ["Approved"]


def test_a_certificate_lasts_as_long_as_was_asked(api: ApiServer, name: str) -> None:
    approved(api, name, expirationSeconds=3600)

    certificate = x509.load_pem_x509_certificate(base64.b64decode(settled(api, name)["certificate"]))

    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert timedelta(hours=1) <= lasts <= timedelta(minutes=65)


def test_nothing_is_signed_that_nobody_approved(api: ApiServer, name: str) -> None:
    created(api, name)
    sleep(0.5)

    assert api.get(f"{REQUESTS}/{name}").json()["status"] == {}


@pytest.mark.parametrize(
    ("csr", "usages", "why"),
    [
        pytest.param(
            a_csr(organization="people"),
            USAGES,
            "subject organization is not system:nodes",
            id="group",
        ),
        pytest.param(
            a_csr("somebody"), USAGES, "subject common name does not begin with system:node:", id="name"
        ),
        pytest.param(a_csr(names=()), USAGES, "DNS or IP subjectAltName is required", id="no address"),
        pytest.param(
            a_csr(names=(ADDRESS, x509.RFC822Name("a@example.com"))),
            USAGES,
            "Email subjectAltNames are not allowed",
            id="mail",
        ),
        pytest.param(
            a_csr(names=(ADDRESS, x509.UniformResourceIdentifier("https://example.com"))),
            USAGES,
            "URI subjectAltNames are not allowed",
            id="URI",
        ),
        pytest.param(
            a_csr(),
            ["server auth"],
            "usages did not match [digital signature key encipherment server auth]",
            id="usages",
        ),
    ],
)
def test_what_breaks_the_signers_rules_fails(
    api: ApiServer, name: str, csr: bytes, usages: list[str], why: str
) -> None:
    approved(api, name, csr, usages=usages)

    status = settled(api, name)

    failed = status["conditions"][-1]
    assert "certificate" not in status
    assert (failed["type"], failed["status"]) == ("Failed", "True")
    assert (failed["reason"], failed["message"]) == ("SignerValidationFailure", why)


def test_an_approval_is_dated(api: ApiServer, name: str) -> None:
    condition = approved(api, name)["status"]["conditions"][0]

    assert condition["lastUpdateTime"] == condition["lastTransitionTime"]
    assert condition["reason"] == "Tests"


def test_an_approval_changes_conditions_alone(api: ApiServer, name: str) -> None:
    request = created(api, name, signerName="example.com/none")
    request["spec"]["usages"] = ["client auth"]
    request["status"] = {"conditions": [APPROVED], "certificate": base64.b64encode(b"mine").decode()}

    answer = api.put(f"{REQUESTS}/{name}/approval", request).json()

    assert answer["spec"]["usages"] == USAGES
    assert "certificate" not in answer["status"]
    assert [each["type"] for each in answer["status"]["conditions"]] == ["Approved"]


def test_approval_comes_through_its_own_path_only(api: ApiServer, name: str) -> None:
    request = created(api, name, signerName="example.com/none")
    request["status"] = {"conditions": [APPROVED]}

    ignored = api.put(f"{REQUESTS}/{name}", request)
    refused = api.put(f"{REQUESTS}/{name}/status", request | {"metadata": {"name": name}})

    assert ignored.json()["status"] == {}
    assert refused.status_code == 422
    assert 'updates may not add a condition of type "Approved"' in refused.json()["message"]


def test_an_approval_stays(api: ApiServer, name: str) -> None:
    request = approved(api, name, signerName="example.com/none")
    request["status"] = {}

    answer = api.put(f"{REQUESTS}/{name}/approval", request)

    assert answer.status_code == 422
    assert 'updates may not remove a condition of type "Approved"' in answer.json()["message"]


def test_approved_and_denied_exclude_each_other(api: ApiServer, name: str) -> None:
    request = created(api, name, signerName="example.com/none")
    request["status"] = {"conditions": [APPROVED, {**APPROVED, "type": "Denied"}]}

    answer = api.put(f"{REQUESTS}/{name}/approval", request)

    assert answer.status_code == 422
    assert "Approved and Denied conditions are mutually exclusive" in answer.json()["message"]


def test_an_approval_may_be_a_patch(api: ApiServer, name: str) -> None:
    created(api, name)

    answer = api.patch(f"{REQUESTS}/{name}/approval", {"status": {"conditions": [APPROVED]}}, STRATEGIC)

    assert answer.status_code == 200
    assert "certificate" in settled(api, name)


def test_a_stale_approval_is_a_conflict(api: ApiServer, name: str) -> None:
    request = created(api, name, signerName="example.com/none")
    api.patch(f"{REQUESTS}/{name}", {"metadata": {"labels": {"a": "b"}}})
    request["status"] = {"conditions": [APPROVED]}

    assert api.put(f"{REQUESTS}/{name}/approval", request).status_code == 409


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        pytest.param({"request": "bm9uZQ=="}, "PEM block type must be CERTIFICATE REQUEST", id="no PEM"),
        pytest.param({"usages": []}, "spec.usages: Required value", id="no usages"),
        pytest.param({"usages": ["fun"]}, 'spec.usages[0]: Unsupported value: "fun"', id="usage"),
        pytest.param(
            {"usages": ["any", "any"]}, 'spec.usages[1]: Duplicate value: "any"', id="a usage twice"
        ),
        pytest.param({"signerName": ""}, "spec.signerName: Required value", id="no signer"),
        pytest.param(
            {"signerName": "mine"},
            "must be a fully qualified domain and path of the form 'example.com/signer-name'",
            id="signer",
        ),
        pytest.param(
            {"expirationSeconds": 599},
            "may not specify a duration less than 600 seconds (10 minutes)",
            id="too short",
        ),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(api: ApiServer, name: str, spec: Json, why: str) -> None:
    answer = api.post(REQUESTS, a_request(name, **spec))

    assert answer.status_code == 422
    assert why in answer.json()["message"]


def test_requests_are_selected_by_their_signer(api: ApiServer, name: str) -> None:
    created(api, name, signerName="example.com/none")

    found = api.get(REQUESTS, fieldSelector="spec.signerName=example.com/none").json()["items"]
    others = api.get(REQUESTS, fieldSelector=f"spec.signerName={SERVING}").json()["items"]

    assert [each["metadata"]["name"] for each in found] == [name]
    assert name not in [each["metadata"]["name"] for each in others]


def test_the_table_tells_how_far_it_is(api: ApiServer, name: str) -> None:
    approved(api, name, signerName="example.com/none", expirationSeconds=3600)

    table = api.get(f"{REQUESTS}/{name}", accept="application/json;as=Table;v=v1;g=meta.k8s.io").json()

    columns = [each["name"] for each in table["columnDefinitions"]]
    cells = table["rows"][0]["cells"]
    assert columns == ["Name", "Age", "SignerName", "Requestor", "RequestedDuration", "Condition"]
    assert (cells[2], cells[4], cells[5]) == ("example.com/none", "60m", "Approved")


def test_discovery_knows_approval(api: ApiServer) -> None:
    entries = api.get("/apis/certificates.k8s.io/v1").json()["resources"]

    found = {each["name"]: set(each["verbs"]) for each in entries}

    assert found["certificatesigningrequests/approval"] == {"get", "patch", "update"}
    assert found["certificatesigningrequests/status"] == {"get", "patch", "update"}
