"""A MutatingWebhookConfiguration, reduced to whom its entries are for, whom they call, and whom they trust.

https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/mutating-webhook-configuration-v1/
"""

from app.model.meta import ObjectMeta
from app.model.wire import Json, Wire


class ServiceReference(Wire, frozen=True):
    """A Service of the cluster, and the path that is asked for there."""

    namespace: str
    name: str
    path: str = ""
    port: int = 443


class ClientConfig(Wire, frozen=True):
    """How a webhook is reached: by its URL, or as a Service.

    `ca_bundle` is PEM, decoded, and empty where the system's roots count.
    """

    ca_bundle: bytes = b""
    url: str = ""
    service: ServiceReference | None = None


class WebhookEntry(Wire, frozen=True):
    """One entry; its name is unique in the configuration."""

    name: str
    client_config: ClientConfig = ClientConfig()
    failure_policy: str = "Fail"
    reinvocation_policy: str = "Never"
    namespace_selector: Json = None
    match_conditions: tuple[Json, ...] = ()
    rules: tuple[Json, ...] = ()


class MutatingWebhookConfiguration(Wire, frozen=True):
    """The entries, in order."""

    metadata: ObjectMeta = ObjectMeta()
    webhooks: tuple[WebhookEntry, ...] = ()
