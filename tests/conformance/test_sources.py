"""What the bridge reads for its pods, through its own adapter."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import pytest

from app.kube.connection import connect
from app.kube.sources import Sources
from app.model.pod import Pod
from app.ports.failures import Conflict, NotFound
from tests.conformance.servers import ApiServer, Space, WallClock, a_config_map

T = TypeVar("T")
Ask = Callable[[Sources], Coroutine[Any, Any, T]]


def asked(api: ApiServer, ask: Ask[T]) -> T:
    async def run() -> T:
        connection = await connect(kubeconfig=str(api.kubeconfig), clock=WallClock(), environ={})
        try:
            return await ask(Sources(connection))
        finally:
            await connection.close()

    return asyncio.run(run())


def a_running_pod(space: Space) -> Pod:
    return msgspec.convert(space.pod(), Pod)


def test_a_secret_is_read_as_bytes(space: Space) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"k": "grüße"}}
    space.api.post(space.path("secrets"), body)

    secret = asked(space.api, lambda sources: sources.secret(space.name, "db"))

    assert secret.data == {"k": "grüße".encode()}
    assert secret.metadata.uid
    assert secret.metadata.resource_version


def test_a_config_map_is_read_with_text_and_bytes(space: Space) -> None:
    space.api.post(space.config_maps, {**a_config_map("app", {"a": "1"}), "binaryData": {"b": "/w=="}})

    found = asked(space.api, lambda sources: sources.config_map(space.name, "app"))

    assert (found.data, found.binary_data) == ({"a": "1"}, {"b": b"\xff"})


def test_the_default_account_is_there(space: Space) -> None:
    account = asked(space.api, lambda sources: sources.account(space.name, "default"))

    assert account.metadata.name == "default"


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda sources, space: sources.secret(space, "none"), id="secret"),
        pytest.param(lambda sources, space: sources.config_map(space, "none"), id="config map"),
        pytest.param(lambda sources, space: sources.account(space, "none"), id="account"),
        pytest.param(lambda sources, space: sources.volume(space, "none"), id="claim"),
    ],
)
def test_what_is_not_there_is_not_found(
    space: Space, ask: Callable[[Sources, str], Coroutine[Any, Any, object]]
) -> None:
    with pytest.raises(NotFound):
        asked(space.api, lambda sources: ask(sources, space.name))


def test_a_claim_that_waits_has_no_volume(space: Space) -> None:
    spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "5Gi"}}}
    body = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {**spec, "storageClassName": "none"},
    }
    space.api.post(space.path("persistentvolumeclaims"), body)

    assert asked(space.api, lambda sources: sources.volume(space.name, "data")) is None


def test_a_pods_token_is_good_for_as_long_as_it_says(space: Space) -> None:
    pod = a_running_pod(space)

    token = asked(space.api, lambda sources: sources.token(pod, audience="vault", seconds=600))

    left = token.expires_at - datetime.now(tz=UTC)  # noqa: TID251  (a real server has no other clock)
    assert timedelta(seconds=570) < left < timedelta(seconds=630)
    assert token.text.count(".") == 2


def test_no_token_is_given_for_an_earlier_pod_of_the_name(space: Space) -> None:
    pod = a_running_pod(space)
    earlier = msgspec.structs.replace(pod, metadata=msgspec.structs.replace(pod.metadata, uid="earlier"))

    with pytest.raises(Conflict):
        asked(space.api, lambda sources: sources.token(earlier, audience="", seconds=600))
