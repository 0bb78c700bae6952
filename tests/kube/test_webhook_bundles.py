from base64 import b64encode

import pytest

from app.kube.transport import STRATEGIC_MERGE_PATCH
from app.kube.webhook_bundles import WebhookBundles
from app.ports.failures import NotFound, Unavailable
from tests.kube.fakes import FakeTransport

PATH = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/spillway"
BODY = {
    "metadata": {"name": "spillway", "resourceVersion": "7"},
    "webhooks": [
        {"name": "a.spillway.dev", "clientConfig": {"url": "https://a"}, "rules": [{}]},
        {"name": "b.spillway.dev", "clientConfig": {"caBundle": b64encode(b"pem").decode()}},
    ],
}


async def test_entries_are_read_with_their_bundles() -> None:
    found = await WebhookBundles(FakeTransport(BODY), name="spillway").read()
    assert found is not None
    assert [(each.name, each.client_config.ca_bundle) for each in found.webhooks] == [
        ("a.spillway.dev", b""),
        ("b.spillway.dev", b"pem"),
    ]


async def test_one_that_is_not_there_is_none() -> None:
    assert await WebhookBundles(FakeTransport(NotFound("404")), name="spillway").read() is None


async def test_an_answer_that_is_none_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await WebhookBundles(FakeTransport({"webhooks": [{}]}), name="spillway").read()


async def test_nothing_but_the_bundles_is_written_and_the_version_named() -> None:
    server = FakeTransport(BODY, {})
    bundles = WebhookBundles(server, name="spillway")
    found = await bundles.read()
    assert found is not None
    await bundles.inject(found, b"new")
    asked = server.asked[1]
    assert (asked.method, asked.path, asked.content_type) == ("PATCH", PATH, STRATEGIC_MERGE_PATCH)
    trust = {"caBundle": b64encode(b"new").decode()}
    assert asked.body == {
        "metadata": {"resourceVersion": "7"},
        "webhooks": [
            {"name": "a.spillway.dev", "clientConfig": trust},
            {"name": "b.spillway.dev", "clientConfig": trust},
        ],
    }
