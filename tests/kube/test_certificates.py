import base64
from typing import Any

import pytest

from app.kube.certificates import Certificates
from app.ports.certificates import Signing, Wanted
from app.ports.failures import Conflict, NotFound, Unavailable
from tests.kube.fakes import FakeTransport

ROOT = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
WANTED = Wanted(
    csr="CSR", signer="kubernetes.io/kubelet-serving", usages=("digital signature", "server auth")
)


def a_request(*conditions: dict[str, Any], certificate: str = "", version: str = "7") -> dict[str, Any]:
    status = {"conditions": list(conditions), "certificate": base64.b64encode(certificate.encode()).decode()}
    return {
        "metadata": {"name": "spillway-x", "resourceVersion": version},
        "spec": {"k": 1},
        "status": status,
    }


def a_condition(kind: str, **fields: str) -> dict[str, Any]:
    return {"type": kind, "status": "True", **fields}


async def test_a_request_is_posted_under_a_name_that_the_server_makes() -> None:
    server = FakeTransport({"metadata": {"name": "spillway-x"}})
    assert await Certificates(server).create(WANTED) == Signing(name="spillway-x")
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", ROOT)
    assert asked.body["metadata"] == {"generateName": "spillway-"}
    assert asked.body["spec"] == {
        "request": base64.b64encode(b"CSR").decode(),
        "signerName": "kubernetes.io/kubelet-serving",
        "usages": ["digital signature", "server auth"],
    }


@pytest.mark.parametrize(
    ("request_json", "signing"),
    [
        pytest.param(a_request(), Signing(name="spillway-x"), id="pending"),
        pytest.param(
            a_request(a_condition("Approved")), Signing(name="spillway-x", approved=True), id="approved"
        ),
        pytest.param(
            a_request(a_condition("Approved"), certificate="PEM"),
            Signing(name="spillway-x", approved=True, certificate="PEM"),
            id="signed",
        ),
        pytest.param(
            a_request(a_condition("Denied", reason="No", message="not here")),
            Signing(name="spillway-x", problem="Denied No not here"),
            id="denied",
        ),
        pytest.param(
            a_request(a_condition("Approved"), a_condition("Failed", reason="SignerValidationFailure")),
            Signing(name="spillway-x", approved=True, problem="Failed SignerValidationFailure"),
            id="failed",
        ),
        pytest.param(
            {"metadata": {"name": "spillway-x"}, "status": {"conditions": None}},
            Signing(name="spillway-x"),
            id="null",
        ),
    ],
)
async def test_a_request_says_how_far_it_is(request_json: dict[str, Any], signing: Signing) -> None:
    assert await Certificates(FakeTransport(request_json)).get("spillway-x") == signing


async def test_a_certificate_that_is_none_is_a_failure() -> None:
    request = {"metadata": {"name": "x"}, "status": {"certificate": "%%%"}}
    with pytest.raises(Unavailable, match="base64"):
        await Certificates(FakeTransport(request)).get("x")


async def test_a_request_that_was_collected_is_not_found() -> None:
    with pytest.raises(NotFound):
        await Certificates(FakeTransport(NotFound("gone"))).get("x")


async def test_an_approval_adds_a_condition_and_keeps_the_rest() -> None:
    other = a_condition("Interesting")
    server = FakeTransport(a_request(other), a_request(other, a_condition("Approved")))
    signing = await Certificates(server).approve("spillway-x", reason="ours")
    put = server.asked[1]
    assert signing.approved
    assert (put.method, put.path) == ("PUT", f"{ROOT}/spillway-x/approval")
    assert put.body["metadata"]["resourceVersion"] == "7"
    assert put.body["spec"] == {"k": 1}
    assert put.body["status"]["conditions"] == [
        other,
        {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": "ours"},
    ]


@pytest.mark.parametrize("kind", ["Approved", "Denied"])
async def test_what_is_decided_already_is_left_alone(kind: str) -> None:
    server = FakeTransport(a_request(a_condition(kind)))
    await Certificates(server).approve("spillway-x", reason="ours")
    assert [each.method for each in server.asked] == ["GET"]


async def test_an_approval_that_others_were_faster_than_is_repeated_on_what_they_wrote() -> None:
    approved = a_request(a_condition("Approved"))
    server = FakeTransport(a_request(), Conflict("changed"), a_request(version="8"), approved)
    assert (await Certificates(server).approve("spillway-x", reason="ours")).approved
    assert server.asks("PUT")[1].body["metadata"]["resourceVersion"] == "8"


async def test_an_approval_gives_up_where_others_never_stop() -> None:
    server = FakeTransport(*(a_request(), Conflict("changed")) * 5)
    with pytest.raises(Conflict):
        await Certificates(server).approve("spillway-x", reason="ours")
