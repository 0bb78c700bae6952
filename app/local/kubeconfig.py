"""The kubeconfig of a local cluster's admin.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from app.model.wire import Json

_NAME: Final = "spillway-local"
_HTTPS: Final = 443


class _Cluster(msgspec.Struct, frozen=True):
    server: str


class _Entry(msgspec.Struct, frozen=True):
    cluster: _Cluster


class _Kubeconfig(msgspec.Struct, frozen=True):
    clusters: tuple[_Entry, ...]


def admin_kubeconfig(url: str, *, token: str, ca_pem: bytes) -> dict[str, Json]:
    """A kubeconfig with everything inside: the address, a bearer token, the authority to trust."""
    cluster = {"server": url, "certificate-authority-data": b64encode(ca_pem).decode()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": _NAME, "context": {"cluster": _NAME, "user": "admin"}}],
        "current-context": _NAME,
    }


def server_port(kubeconfig: Mapping[str, Json]) -> int:
    """The port of the API server that a kubeconfig names first."""
    server = msgspec.convert(kubeconfig, type=_Kubeconfig).clusters[0].cluster.server
    return urlsplit(server).port or _HTTPS
