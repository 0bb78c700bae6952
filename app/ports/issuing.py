"""The Secrets that the issuer keeps, and the webhook configuration that trusts it.

Every write names the version that it was decided by: Conflict where the object changed since. All of it
raises `app.ports.failures` only.
"""

from collections.abc import Mapping
from typing import Protocol

from app.model.objects import Secret
from app.model.webhook_configuration import MutatingWebhookConfiguration


class TlsSecrets(Protocol):
    """The Secrets of one namespace."""

    async def read(self, name: str) -> Secret | None:
        """As it is now; None where it is not there."""
        ...

    async def create(self, name: str, data: Mapping[str, bytes], *, annotations: Mapping[str, str]) -> None:
        """A new one. Raises Conflict where it is there already."""
        ...

    async def change(
        self, secret: Secret, data: Mapping[str, bytes | None], *, annotations: Mapping[str, str]
    ) -> None:
        """Set these keys and annotations, and take out the keys that are None; the rest stays."""
        ...


class WebhookBundles(Protocol):
    """One MutatingWebhookConfiguration."""

    async def read(self) -> MutatingWebhookConfiguration | None:
        """As it is now; None where it is not there."""
        ...

    async def inject(self, configuration: MutatingWebhookConfiguration, bundle: bytes) -> None:
        """Set the `caBundle` of every entry, and nothing else."""
        ...
