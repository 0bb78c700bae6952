from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio.client import ApiClient
from kubernetes.aio.config import incluster_config

from app.kube.configuration import ConnectionSettingsError, load_client
from app.tls.authority import Authority
from tests.builders import NOON
from tests.kube.conftest import a_kubeconfig

ENV_FILE, HOME_FILE, POD = "http://from.env", "http://from.home", "https://10.0.0.1:443"


class Steady:
    """A steady clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def loaded(
    environ: dict[str, str], *, kubeconfig: str | None = None, steady: Steady | None = None
) -> ApiClient:
    return await load_client(kubeconfig=kubeconfig, environ=environ, steady=steady or Steady())


@pytest.fixture
def everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment where every way to a cluster is there."""
    (tmp_path / ".kube").mkdir()
    a_kubeconfig(tmp_path / ".kube" / "config", HOME_FILE)
    (tmp_path / "token").write_text("account")
    (tmp_path / "ca.crt").write_bytes(_ca())
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    return {
        "KUBECONFIG": a_kubeconfig(tmp_path / "env", ENV_FILE),
        "KUBERNETES_SERVICE_HOST": "10.0.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
        "HOME": str(tmp_path),
    }


def _ca() -> bytes:
    return Authority.create("ca", now=NOON).cert_pem


def without(environ: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in names}


async def test_the_given_file_comes_first(everything: dict[str, str], tmp_path: Path) -> None:
    given = a_kubeconfig(tmp_path / "given", "http://given")
    assert (await loaded(everything, kubeconfig=given)).configuration.host == "http://given"


async def test_then_the_environments_file(everything: dict[str, str]) -> None:
    assert (await loaded(everything)).configuration.host == ENV_FILE


async def test_then_the_pods_account(everything: dict[str, str]) -> None:
    client = await loaded(without(everything, "KUBECONFIG"))
    assert client.configuration.host == POD
    assert client.configuration.api_key == {"BearerToken": "bearer account"}


async def test_then_the_file_at_home(everything: dict[str, str]) -> None:
    client = await loaded(without(everything, "KUBECONFIG", "KUBERNETES_SERVICE_HOST"))
    assert client.configuration.host == HOME_FILE


async def test_nothing_at_all_names_every_way(tmp_path: Path) -> None:
    with pytest.raises(ConnectionSettingsError, match="give --kubeconfig, set KUBECONFIG"):
        await loaded({"HOME": str(tmp_path)})


async def test_a_pod_without_a_token_names_the_mend(
    everything: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", "/nowhere/token")
    with pytest.raises(ConnectionSettingsError, match="automountServiceAccountToken"):
        await loaded(without(everything, "KUBECONFIG"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="not there"),
        pytest.param("", id="empty"),
        pytest.param("[1, 2]", id="a list"),
        pytest.param("a: [", id="not YAML"),
        pytest.param("just words", id="words"),
        pytest.param("current-context: x\ncontexts: []\nclusters: []\nusers: []\n", id="no such context"),
    ],
)
async def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "config"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConnectionSettingsError, match="kubectl cluster-info") as caught:
        await loaded({}, kubeconfig=str(file))
    assert str(file) in str(caught.value)


async def test_an_authority_that_is_none_names_the_mend(tmp_path: Path) -> None:
    config = a_kubeconfig(
        tmp_path / "config", "https://x", cluster={"certificate-authority-data": "bm90IGEgY2VydA=="}
    )
    with pytest.raises(ConnectionSettingsError, match="check certificate-authority"):
        await loaded({}, kubeconfig=config)


def plugin(folder: Path, script: str) -> dict[str, Any]:
    program = folder / "plugin"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program)}}


async def test_a_credential_plugins_token_is_used(tmp_path: Path) -> None:
    answer = (
        '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"fresh"}}'
    )
    config = a_kubeconfig(tmp_path / "config", "http://x", user=plugin(tmp_path, f"echo '{answer}'"))
    client = await loaded({}, kubeconfig=config)
    assert client.configuration.api_key == {"BearerToken": "Bearer fresh"}


async def test_a_credential_plugin_that_fails_is_told_at_once(tmp_path: Path) -> None:
    config = a_kubeconfig(tmp_path / "config", "http://x", user=plugin(tmp_path, "exit 3"))
    with pytest.raises(ConnectionSettingsError, match="plugin"):
        await loaded({}, kubeconfig=config)


async def token_sent(client: ApiClient) -> str:
    _, _, headers, _, _ = await client.param_serialize(
        "GET", "/x", query_params=[], header_params={}, auth_settings=["BearerToken"]
    )
    return headers["authorization"]


async def test_a_token_file_is_read_again_once_a_minute(tmp_path: Path) -> None:
    token, steady = tmp_path / "token", Steady()
    token.write_text("one")
    config = a_kubeconfig(tmp_path / "config", "http://x", user={"tokenFile": str(token)})
    client = await loaded({}, kubeconfig=config, steady=steady)
    token.write_text("two")
    steady.seconds = 59
    assert await token_sent(client) == "Bearer one"
    steady.seconds = 61
    assert await token_sent(client) == "Bearer two"


async def test_a_token_that_cannot_be_read_again_stays_in_use(tmp_path: Path) -> None:
    token, steady = tmp_path / "token", Steady()
    token.write_text("one")
    config = a_kubeconfig(tmp_path / "config", "http://x", user={"tokenFile": str(token)})
    client = await loaded({}, kubeconfig=config, steady=steady)
    token.unlink()
    steady.seconds = 61
    assert await token_sent(client) == "Bearer one"


async def test_the_environments_proxy_is_used(everything: dict[str, str]) -> None:
    client = await loaded(everything | {"http_proxy": "http://proxy:3128"})
    assert client.configuration.proxy == "http://proxy:3128"


async def test_a_kubeconfigs_own_proxy_comes_first(everything: dict[str, str], tmp_path: Path) -> None:
    config = a_kubeconfig(tmp_path / "config", "http://x", cluster={"proxy-url": "http://its-own:3128"})
    client = await loaded(everything | {"http_proxy": "http://proxy:3128"}, kubeconfig=config)
    assert client.configuration.proxy == "http://its-own:3128"
