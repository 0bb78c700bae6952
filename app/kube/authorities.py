"""Who signs the API server's own client certificate (`app.ports.access.ClientAuthorities`)."""

from typing import Final

from app.kube import paths
from app.kube.answers import decoded
from app.kube.transport import Transport
from app.model.setting import named
from app.model.wire import Wire
from app.ports.failures import Refused

_NAMESPACE: Final = "kube-system"
_NAME: Final = "extension-apiserver-authentication"
_KEY: Final = "client-ca-file"


class _Data(Wire, frozen=True):
    data: dict[str, str] | None = None


class Authorities:
    """Reads the ConfigMap that API servers keep for this purpose.

    Every account may be bound to the role `extension-apiserver-authentication-reader` of kube-system.

    https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/
    """

    def __init__(self, connection: Transport) -> None:
        self._connection = connection

    async def pem(self) -> str:
        """`client-ca-file`; empty where there is none. Raises as a request, Refused with the mend."""
        path = paths.config_map(_NAMESPACE, _NAME)
        try:
            data = await self._connection.request("GET", path)
        except Refused as error:
            raise Refused(
                f"{error}; bind the bridge's account to the Role {_NAME}-reader of {_NAMESPACE}, "
                f"or name the authority with {named('bridge', 'kubelet_client_ca')}"
            ) from error
        return (decoded(data, _Data, asked=f"GET {path}").data or {}).get(_KEY, "")
