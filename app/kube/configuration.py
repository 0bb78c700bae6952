"""Finding the API server and our credentials for it, with the official client's loaders.

https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

import asyncio
import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config import incluster_config

from app.kube.proxy import proxy_for
from app.telemetry import logs

_log = logs.get(__name__)

POOL: Final = 100
REFRESH_SECONDS: Final = 60.0
"""How often a token's source (file, exec plugin, OIDC) is asked again; plugins answer from their expiry."""

_BAD_FILE: Final = (
    config.ConfigException,
    OSError,
    yaml.YAMLError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
)
"""What the client's loader raises on files that are not kubeconfigs; it checks little itself."""


class ConnectionSettingsError(ValueError):
    """No way to an API server; the message names the mend."""


async def load_client(
    *, kubeconfig: str | None, environ: Mapping[str, str], steady: Callable[[], float]
) -> ApiClient:
    """A client for the first that is there: `kubeconfig`, `$KUBECONFIG`, the pod's account, `~/.kube/config`.

    Args:
        kubeconfig: a path, or several joined by the system's path separator; None or "" looks around.
        environ: the process's environment.
        steady: a clock that never jumps, in seconds; it spaces the refreshes of credentials.

    Raises:
        ConnectionSettingsError: none works.
    """
    settings = Configuration(connection_pool_maxsize=POOL)
    # Some clusters' CAs lack an extension that strict mode asks for; kubectl does not ask for it either.
    settings.disable_strict_ssl_verification = True
    file = kubeconfig or environ.get("KUBECONFIG") or ""
    if not file and environ.get("KUBERNETES_SERVICE_HOST"):
        _load_account(settings, environ)
    else:
        await _load_file(settings, file or _home_file(environ), steady=steady)
    settings.proxy = settings.proxy or proxy_for(settings.host, environ)
    settings.client_session_kwargs = {"trust_env": False}
    try:
        return ApiClient(settings)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConnectionSettingsError(
            f"the certificates for {settings.host} cannot be used ({error}); check certificate-authority, "
            "client-certificate and client-key in the kubeconfig"
        ) from error


def _home_file(environ: Mapping[str, str]) -> str:
    path = Path(environ.get("HOME", "~")).expanduser() / ".kube" / "config"
    if not path.is_file():
        raise ConnectionSettingsError(
            "no Kubernetes cluster is configured: give --kubeconfig, set KUBECONFIG, "
            f"run in a pod with a service account, or write {path}"
        )
    return str(path)


def _load_account(settings: Configuration, environ: Mapping[str, str]) -> None:
    loader: Any = incluster_config.InClusterConfigLoader
    token = incluster_config.SERVICE_TOKEN_FILENAME
    authority = incluster_config.SERVICE_CERT_FILENAME
    try:
        loader(token, authority, environ=environ).load_and_set(settings)
    except (config.ConfigException, OSError) as error:
        raise ConnectionSettingsError(
            f"this looks like a pod, but its service account cannot be used ({error}); mount one at "
            f"{token} (automountServiceAccountToken) or give --kubeconfig"
        ) from error


async def _load_file(settings: Configuration, file: str, *, steady: Callable[[], float]) -> None:
    _found(file)
    try:
        loader = await config.load_kube_config(  # type: ignore[no-untyped-call]  # vendor
            config_file=file, client_configuration=settings, persist_config=False
        )
    except _BAD_FILE as error:
        raise ConnectionSettingsError(
            f"kubeconfig {file} cannot be used ({error}); check that the file is there and that "
            "`kubectl cluster-info` works with it"
        ) from error
    if not settings.api_key and not settings.cert_file and _has_plugin(loader):
        raise ConnectionSettingsError(
            f"the credential plugin of kubeconfig {file} gave no credentials (its error is logged above); "
            "check that `kubectl cluster-info` works with it"
        )
    hook: Any = _Refresher(loader, steady=steady)
    settings.refresh_api_key_hook = hook


def _found(file: str) -> None:
    """Say so where there is no file, nor one of several that are joined; the client takes none for empty.

    Raises:
        ConnectionSettingsError: there is none.
    """
    paths = [Path(each).expanduser() for each in file.split(os.pathsep) if each]
    if not any(path.exists() for path in paths):
        raise ConnectionSettingsError(
            f"kubeconfig {file}: there is no such file; name one by --kubeconfig or KUBECONFIG "
            "with which `kubectl cluster-info` works"
        )


def _has_plugin(loader: Any) -> bool:
    user = loader._user  # noqa: SLF001  (the loader only logs a plugin's failure)
    return user is not None and "exec" in user


class _Refresher:
    """Asks a kubeconfig's source of tokens again, once a minute, and only one caller at a time.

    The client calls it before each request that carries a token.
    """

    def __init__(self, loader: Any, *, steady: Callable[[], float]) -> None:
        self._loader = loader
        self._steady = steady
        self._asked = steady()
        self._lock = asyncio.Lock()

    async def __call__(self, settings: Configuration) -> None:
        async with self._lock:
            if self._steady() - self._asked < REFRESH_SECONDS:
                return
            self._asked = self._steady()
            try:
                await self._loader.load_and_set(settings)
            except _BAD_FILE as error:
                _log.warning("credentials not renewed, going on with the old ones", error=str(error))
