from base64 import b64encode

import pytest

from app.kube.tls_secrets import TlsSecrets
from app.kube.transport import JSON, MERGE_PATCH
from app.model.meta import ObjectMeta
from app.model.objects import Secret
from app.ports.failures import Conflict, NotFound, Unavailable
from tests.kube.fakes import FakeTransport

PATH = "/api/v1/namespaces/spillway/secrets"
READ = Secret(metadata=ObjectMeta(name="tls", resource_version="7"), data={"tls.crt": b"old"})


def secrets(*answers: object) -> tuple[TlsSecrets, FakeTransport]:
    server = FakeTransport(*answers)
    return TlsSecrets(server, namespace="spillway"), server


def encoded(data: bytes) -> str:
    return b64encode(data).decode()


async def test_a_secret_is_read_decoded() -> None:
    body = {"metadata": {"name": "tls", "resourceVersion": "7"}, "data": {"tls.crt": encoded(b"old")}}
    port, server = secrets(body)
    assert await port.read("tls") == READ
    assert server.asked[0][:2] == ("GET", f"{PATH}/tls")


async def test_one_that_is_not_there_is_none() -> None:
    port, _ = secrets(NotFound("404"))
    assert await port.read("tls") is None


async def test_an_answer_that_is_no_secret_is_told_without_what_it_holds() -> None:
    port, _ = secrets({"data": {"tls.key": "private!"}})
    with pytest.raises(Unavailable) as caught:
        await port.read("tls")
    assert "private" not in str(caught.value)


async def test_a_new_one_is_opaque_and_bears_our_labels() -> None:
    port, server = secrets({})
    await port.create("tls", {"tls.crt": b"new"}, annotations={"a": "b"})
    asked = server.asked[0]
    assert (asked.method, asked.path, asked.content_type) == ("POST", PATH, JSON)
    assert asked.query == {"fieldManager": "spillway-issuer"}
    assert asked.body["type"] == "Opaque"
    assert asked.body["data"] == {"tls.crt": encoded(b"new")}
    assert asked.body["metadata"]["annotations"] == {"a": "b"}
    assert asked.body["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "spillway-issuer"


async def test_a_change_names_the_version_it_was_decided_by_and_takes_out_what_is_none() -> None:
    port, server = secrets({})
    await port.change(READ, {"tls.crt": b"new", "junk": None}, annotations={"a": "b"})
    asked = server.asked[0]
    assert (asked.method, asked.path, asked.content_type) == ("PATCH", f"{PATH}/tls", MERGE_PATCH)
    assert asked.body == {
        "metadata": {"resourceVersion": "7", "annotations": {"a": "b"}},
        "data": {"tls.crt": encoded(b"new"), "junk": None},
    }


async def test_a_conflict_is_passed_on() -> None:
    port, _ = secrets(Conflict("409"))
    with pytest.raises(Conflict):
        await port.change(READ, {}, annotations={})
