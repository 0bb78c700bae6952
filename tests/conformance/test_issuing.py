"""The issuer's writes: what they touch, and what they are refused upon."""

import asyncio
import base64
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from app.kube.connection import connect
from app.kube.tls_secrets import TlsSecrets
from app.kube.transport import Transport
from app.kube.webhook_bundles import WebhookBundles
from app.ports.failures import Conflict
from tests.conformance.servers import Json, Space, WallClock, unique
from tests.conformance.webhooks import CONFIGURATIONS, Webhook, allowed

Work = Callable[[Transport], Coroutine[Any, Any, Any]]


def connected(space: Space, work: Work) -> Any:
    """What the work gives, over a connection of ours."""

    async def run() -> Any:
        connection = await connect(kubeconfig=str(space.api.kubeconfig), clock=WallClock(), environ={})
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(run())


def secret(space: Space, name: str = "tls") -> Json:
    return dict(space.api.get(space.path("secrets", name)).json())


def decoded(found: Json) -> dict[str, bytes]:
    return {key: base64.b64decode(value) for key, value in found["data"].items()}


def test_a_secret_that_is_not_there_is_none_and_is_made_once(space: Space) -> None:
    async def work(transport: Transport) -> Any:
        secrets = TlsSecrets(transport, namespace=space.name)
        missing = await secrets.read("tls")
        await secrets.create("tls", {"ca.crt": b"one"}, annotations={"spillway.dev/x": "y"})
        with pytest.raises(Conflict):
            await secrets.create("tls", {"ca.crt": b"two"}, annotations={})
        return missing

    assert connected(space, work) is None
    found = secret(space)
    assert (found["type"], decoded(found)) == ("Opaque", {"ca.crt": b"one"})


def test_a_change_upon_an_older_version_is_a_conflict_and_changes_nothing(space: Space) -> None:
    async def work(transport: Transport) -> None:
        secrets = TlsSecrets(transport, namespace=space.name)
        await secrets.create("tls", {"ca.crt": b"one"}, annotations={})
        old = await secrets.read("tls")
        assert old is not None
        await secrets.change(old, {"ca.crt": b"two"}, annotations={})
        with pytest.raises(Conflict):
            await secrets.change(old, {"ca.crt": b"three"}, annotations={})

    connected(space, work)
    assert decoded(secret(space)) == {"ca.crt": b"two"}


def test_a_change_takes_out_keys_and_keeps_the_rest(space: Space) -> None:
    async def work(transport: Transport) -> None:
        secrets = TlsSecrets(transport, namespace=space.name)
        await secrets.create("tls", {"a": b"1", "b": b"2", "c": b"3"}, annotations={"kept": "yes"})
        old = await secrets.read("tls")
        assert old is not None
        await secrets.change(old, {"a": b"4", "b": None, "z": None}, annotations={"new": "too"})

    connected(space, work)
    found = secret(space)
    assert decoded(found) == {"a": b"4", "c": b"3"}
    assert found["metadata"]["annotations"] == {"kept": "yes", "new": "too"}


@pytest.fixture
def configuration(space: Space) -> Any:
    """A webhook configuration with two entries, of which the first trusts nobody."""
    webhook = Webhook(allowed, url="https://127.0.0.1:1/mutate", authority=b"pem")
    one = webhook.configuration(space)["webhooks"][0]
    first = {**one, "name": "first.example.com", "clientConfig": {"url": "https://127.0.0.1:1/mutate"}}
    second = {**one, "name": "second.example.com", "timeoutSeconds": 3}
    name = unique("conformance")
    body = {**webhook.configuration(space), "metadata": {"name": name}, "webhooks": [first, second]}
    answer = space.api.post(CONFIGURATIONS, body)
    assert answer.status_code == 201, answer.text
    yield answer.json()
    space.api.delete(f"{CONFIGURATIONS}/{name}")


def without_bundles(configuration: Json) -> list[Json]:
    return [
        {**each, "clientConfig": {**each["clientConfig"], "caBundle": ""}}
        for each in configuration["webhooks"]
    ]


def test_the_bundle_gets_into_every_entry_and_nothing_else_changes(space: Space, configuration: Json) -> None:
    name = configuration["metadata"]["name"]

    async def work(transport: Transport) -> None:
        bundles = WebhookBundles(transport, name=name)
        found = await bundles.read()
        assert found is not None
        await bundles.inject(found, b"new")
        with pytest.raises(Conflict):
            await bundles.inject(found, b"newer")

    connected(space, work)
    after = space.api.get(f"{CONFIGURATIONS}/{name}").json()
    trusted = [base64.b64decode(each["clientConfig"]["caBundle"]) for each in after["webhooks"]]
    assert trusted == [b"new", b"new"]
    assert without_bundles(after) == without_bundles(configuration)


def test_a_webhook_configuration_that_is_not_there_is_none(space: Space) -> None:
    async def work(transport: Transport) -> Any:
        return await WebhookBundles(transport, name=unique("nobody")).read()

    assert connected(space, work) is None
