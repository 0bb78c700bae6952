"""Whom the API server trusts when it calls our webhook (`app.ports.issuing.WebhookBundles`).

Needs `get` and `patch` on the one MutatingWebhookConfiguration, by name.
"""

from app.kube import paths
from app.kube.answers import decoded
from app.kube.tls_secrets import MANAGER
from app.kube.transport import STRATEGIC_MERGE_PATCH, Transport
from app.model.webhook_configuration import MutatingWebhookConfiguration
from app.ports.failures import NotFound


class WebhookBundles:
    """Reads one configuration, and patches its entries by their names."""

    def __init__(self, connection: Transport, *, name: str) -> None:
        self._connection = connection
        self._path = paths.mutating_webhook_configuration(name)

    async def read(self) -> MutatingWebhookConfiguration | None:
        """A consistent read."""
        try:
            data = await self._connection.request("GET", self._path)
        except NotFound:
            return None
        return decoded(data, MutatingWebhookConfiguration, asked=f"GET {self._path}")

    async def inject(self, configuration: MutatingWebhookConfiguration, bundle: bytes) -> None:
        """A strategic merge patch: its list of webhooks is merged by name.

        For its resourceVersion the API server answers 409 where the entries may be others by now.
        """
        trust = {"caBundle": bundle}
        entries = [{"name": each.name, "clientConfig": trust} for each in configuration.webhooks]
        await self._connection.request(
            "PATCH",
            self._path,
            query={"fieldManager": MANAGER},
            body={
                "metadata": {"resourceVersion": configuration.metadata.resource_version},
                "webhooks": entries,
            },
            content_type=STRATEGIC_MERGE_PATCH,
        )
