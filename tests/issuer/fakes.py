"""The issuer's part of a cluster: two Secrets and a webhook configuration, with versions; and its clients."""

import asyncio
import itertools
from collections.abc import Callable, Mapping

import msgspec
from prometheus_client import CollectorRegistry

from app.issuer.config import IssuerConfig
from app.issuer.issuer import Issuer
from app.issuer.metrics import IssuerMetrics
from app.model.meta import ObjectMeta
from app.model.objects import Secret
from app.model.webhook_configuration import (
    ClientConfig,
    MutatingWebhookConfiguration,
    WebhookEntry,
)
from app.ports.failures import Conflict, PortFailure, Unavailable
from app.ports.issuing import TlsSecrets, WebhookBundles
from app.tls.expiry import CertificateExpiry
from tests.fakes import VirtualClock

CA = "spillway-ca"
TLS = "spillway-tls"
CONFIG = IssuerConfig(ca_secret=CA, tls_secret=TLS, registration="spillway", dns=("web.spillway.svc",))


class Store:
    """What is in the cluster; a write of an outdated version is a Conflict."""

    def __init__(self) -> None:
        self.secrets: dict[str, Secret] = {}
        self.registration: MutatingWebhookConfiguration | None = None
        self.writes: list[str] = []
        self.kills_writers = False
        self._versions = itertools.count(1)

    def put(self, name: str, data: Mapping[str, bytes], annotations: Mapping[str, str] | None = None) -> None:
        """Somebody writes a Secret."""
        metadata = ObjectMeta(name=name, resource_version=self._next(), annotations=dict(annotations or {}))
        self.secrets[name] = Secret(metadata=metadata, data=dict(data))
        self.writes.append(name)

    def edit(self, name: str, **data: bytes | None) -> None:
        """Somebody changes keys of a Secret (`tls_key` for tls.key); None takes one out."""
        old = self.secrets.get(name, Secret())
        named = {key.replace("_", "."): value for key, value in data.items()}
        merged = {**old.data, **named}
        kept = {key: value for key, value in merged.items() if value is not None}
        self.put(name, kept, old.metadata.annotations)

    def register(self, *bundles: bytes, annotations: Mapping[str, str] | None = None) -> None:
        """Somebody installs the webhook configuration, with an entry for each bundle."""
        self.registration = MutatingWebhookConfiguration(
            metadata=ObjectMeta(
                name="spillway", resource_version=self._next(), annotations=dict(annotations or {})
            ),
            webhooks=tuple(
                WebhookEntry(name=f"{number}.spillway.dev", client_config=ClientConfig(ca_bundle=each))
                for number, each in enumerate(bundles)
            ),
        )
        self.writes.append("spillway")

    def bundles(self) -> list[bytes]:
        """What the API server trusts, entry by entry."""
        return (
            [each.client_config.ca_bundle for each in self.registration.webhooks] if self.registration else []
        )

    def data(self, name: str) -> dict[str, bytes]:
        """What a Secret holds, if it is there."""
        return dict(self.secrets.get(name, Secret()).data)

    def after_write(self) -> None:
        """The writer is killed before it hears of it, if the test wants that."""
        if self.kills_writers:
            raise asyncio.CancelledError

    def _next(self) -> str:
        return str(next(self._versions))


class FakeSecrets(TlsSecrets):
    """One client of the store; `before_write` lets the test do something in between."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.failure: PortFailure | None = None
        self.before_write: Callable[[], None] = lambda: None
        self.loses_answers = False

    async def read(self, name: str) -> Secret | None:
        await asyncio.sleep(0)
        self._may_fail()
        return self.store.secrets.get(name)

    async def create(self, name: str, data: Mapping[str, bytes], *, annotations: Mapping[str, str]) -> None:
        await asyncio.sleep(0)
        self._may_fail()
        self._in_between()
        if name in self.store.secrets:
            raise Conflict(f"{name} is there")
        self.store.put(name, data, annotations)
        self._answer()

    async def change(
        self, secret: Secret, data: Mapping[str, bytes | None], *, annotations: Mapping[str, str]
    ) -> None:
        await asyncio.sleep(0)
        self._may_fail()
        self._in_between()
        name = secret.metadata.name
        now = self.store.secrets.get(name)
        if now is None or now.metadata.resource_version != secret.metadata.resource_version:
            raise Conflict(f"{name} was changed")
        merged = {**now.data, **data}
        kept = {key: value for key, value in merged.items() if value is not None}
        self.store.put(name, kept, {**now.metadata.annotations, **annotations})
        self._answer()

    def _answer(self) -> None:
        self.store.after_write()
        if self.loses_answers:
            raise Unavailable("the answer was lost")

    def _in_between(self) -> None:
        act, self.before_write = self.before_write, lambda: None
        act()

    def _may_fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class FakeBundles(WebhookBundles):
    """One client of the store's webhook configuration."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.failure: PortFailure | None = None

    async def read(self) -> MutatingWebhookConfiguration | None:
        if self.failure is not None:
            raise self.failure
        return self.store.registration

    async def inject(self, configuration: MutatingWebhookConfiguration, bundle: bytes) -> None:
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        now = self.store.registration
        if now is None or now.metadata.resource_version != configuration.metadata.resource_version:
            raise Conflict("spillway was changed")
        self.store.register(
            *(bundle for _ in now.webhooks), annotations=msgspec.structs.asdict(now.metadata)["annotations"]
        )
        self.store.after_write()


class Scene:
    """A cluster, an issuer in it, and the time."""

    def __init__(self, config: IssuerConfig = CONFIG) -> None:
        self.clock = VirtualClock()
        self.store = Store()
        self.secrets, self.bundles = FakeSecrets(self.store), FakeBundles(self.store)
        self.registry = CollectorRegistry()
        self.config = config
        self.issuer = self._issuer(self.registry)

    def another(self) -> Issuer:
        """One more issuer in the same cluster."""
        return self._issuer(CollectorRegistry())

    def _issuer(self, registry: CollectorRegistry) -> Issuer:
        return Issuer(
            self.secrets,
            self.bundles,
            clock=self.clock,
            config=self.config,
            metrics=IssuerMetrics(registry),
            expiry=CertificateExpiry(registry),
        )

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)
