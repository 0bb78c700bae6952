"""The kubeconfig of a local cluster's admin.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from base64 import b64encode
from typing import Final

from app.model.wire import Json

_NAME: Final = "spillway-local"


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
