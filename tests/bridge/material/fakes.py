"""Kubernetes' objects, a vault, registries and roles that the test fills; they count what they are asked."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.bridge.material.config import MaterialConfig, Suppliers
from app.bridge.material.gatherer import Gatherer
from app.model.image import ImageConfig
from app.model.meta import ObjectMeta
from app.model.names import PodUid
from app.model.objects import (
    ConfigMap,
    NetworkPolicy,
    PersistentVolume,
    Secret,
    Service,
    ServiceAccount,
    ServiceSpec,
)
from app.model.pod import Pod
from app.model.registry_login import RegistryLogin
from app.ports.failures import NotFound, PortFailure
from app.ports.images import Architecture
from app.ports.kubernetes import Token
from app.ports.vault import Kept
from tests.builders import NOON, VIRTUAL
from tests.fakes import FakeWatched, VirtualClock

CONFIG = MaterialConfig(cluster="cluster-1", node=VIRTUAL)
PREFIX = f"spillway/cluster-1/{VIRTUAL}/"
TOKEN = "eyJ-the-raw-token"
PASSWORD = "hunter2-planted"


def meta(name: str, *, namespace: str = "shop", version: str = "7", **more: Any) -> ObjectMeta:
    return ObjectMeta(
        name=name, namespace=namespace, uid=PodUid(f"uid-of-{name}"), resource_version=version, **more
    )


def a_secret(name: str = "db", *, version: str = "7", kind: str = "Opaque", **data: bytes) -> Secret:
    return Secret(
        metadata=meta(name, version=version), type=kind, data=data or {"password": PASSWORD.encode()}
    )


def a_config_map(name: str = "app", *, binary: Mapping[str, bytes] | None = None, **data: str) -> ConfigMap:
    return ConfigMap(metadata=meta(name), data=data, binary_data=dict(binary or {}))


def a_service(name: str, *, namespace: str = "shop") -> Service:
    return Service(metadata=meta(name, namespace=namespace), spec=ServiceSpec(cluster_ip="10.0.0.9"))


def a_policy(name: str, *, namespace: str = "shop") -> NetworkPolicy:
    return NetworkPolicy(metadata=meta(name, namespace=namespace))


class FakeSources:
    """What pods refer to; `broken` fails everything, `fails` single reads by `kind/name`."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.asked: Counter[str] = Counter()
        self.objects: dict[str, Any] = {"account/default": ServiceAccount(metadata=meta("default"))}
        self.fails: dict[str, PortFailure] = {}
        self.gate: asyncio.Event | None = None
        self.tokens = itertools.count(1)
        self.specs: dict[str, Any] = {}

    def put(self, *values: ConfigMap | Secret | ServiceAccount) -> None:
        kinds = {ConfigMap: "configmap", Secret: "secret", ServiceAccount: "account"}
        for value in values:
            self.objects[f"{kinds[type(value)]}/{value.metadata.name}"] = value

    async def _read(self, kind: str, name: str) -> Any:
        key = f"{kind}/{name}"
        self.asked[key] += 1
        await (self.gate.wait() if self.gate is not None else asyncio.sleep(0))
        if key in self.fails:
            raise self.fails[key]
        if key not in self.objects:
            raise NotFound(f"GET {key}: 404")
        return self.objects[key]

    async def config_map(self, namespace: str, name: str) -> ConfigMap:
        return msgspec.convert(await self._read("configmap", name), ConfigMap)

    async def secret(self, namespace: str, name: str) -> Secret:
        return msgspec.convert(await self._read("secret", name), Secret)

    async def account(self, namespace: str, name: str) -> ServiceAccount:
        return msgspec.convert(await self._read("account", name), ServiceAccount)

    async def volume(self, namespace: str, claim: str) -> PersistentVolume | None:
        return msgspec.convert(await self._read("claim", claim), PersistentVolume | None)

    async def pod_spec(self, pod: Pod) -> Any:
        self.asked["pod"] += 1
        if "pod" in self.fails:
            raise self.fails["pod"]
        return self.specs.get(pod.metadata.name, msgspec.to_builtins(pod.spec))

    async def token(self, pod: Pod, *, audience: str, seconds: int) -> Token:
        account = pod.spec.service_account_name or "default"
        if f"token/{account}" in self.fails:
            raise self.fails[f"token/{account}"]
        await self._read("account", account)
        self.asked["token"] += 1
        text = f"{TOKEN}-{next(self.tokens)}"
        return Token(text, self._clock.now() + timedelta(seconds=seconds))


class FakeVault:
    """Entries in memory: create-if-absent, ARNs with a serial number, deletion for good."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._serial = itertools.count(1)
        self.entries: dict[str, tuple[Kept, dict[str, str]]] = {}
        self.asked: Counter[str] = Counter()
        self.fails: dict[str, PortFailure] = {}
        self.keeping: asyncio.Event | None = None
        self.forgetting: asyncio.Event | None = None

    @property
    def names(self) -> set[str]:
        return set(self.entries)

    def content(self, name: str) -> dict[str, str]:
        return self.entries[name][1]

    def has(self, name: str, *, created_at: datetime = NOON, **content: str) -> Kept:
        """Put an entry there, as another process did."""
        arn = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-{next(self._serial):06}"
        kept = Kept(name=name, arn=arn, created_at=created_at)
        self.entries[name] = (kept, content)
        return kept

    def _ask(self, operation: str) -> None:
        self.asked[operation] += 1
        if operation in self.fails:
            raise self.fails[operation]

    async def keep(self, name: str, content: Mapping[str, str]) -> str:
        self._ask("keep")
        await (self.keeping.wait() if self.keeping is not None else asyncio.sleep(0))
        kept = (
            self.entries[name][0]
            if name in self.entries
            else self.has(name, created_at=self._clock.now(), **content)
        )
        return kept.arn

    async def read(self, arn: str) -> dict[str, str]:
        self._ask("read")
        await asyncio.sleep(0)
        for kept, content in self.entries.values():
            if kept.arn == arn:
                return content
        raise NotFound(arn)

    async def kept(self) -> tuple[Kept, ...]:
        self._ask("kept")
        await asyncio.sleep(0)
        return tuple(kept for kept, _ in self.entries.values())

    async def forget(self, arn: str) -> None:
        self._ask("forget")
        await (self.forgetting.wait() if self.forgetting is not None else asyncio.sleep(0))
        self.entries = {name: each for name, each in self.entries.items() if each[0].arn != arn}


class FakeImages:
    """Images by name; remembers the logins that it was asked with."""

    def __init__(self) -> None:
        self.configs: dict[str, ImageConfig] = {}
        self.fails: dict[str, PortFailure] = {}
        self.asked: list[tuple[str, Architecture, tuple[RegistryLogin, ...]]] = []

    async def config(
        self, image: str, *, architecture: Architecture, credentials: tuple[RegistryLogin, ...] = ()
    ) -> ImageConfig:
        self.asked.append((image, architecture, credentials))
        if image in self.fails:
            raise self.fails[image]
        return self.configs[image]


class FakeRoles:
    """Associations by `namespace/account`."""

    def __init__(self) -> None:
        self.roles: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.failure: PortFailure | None = None

    async def role_of(self, namespace: str, account: str) -> str:
        key = f"{namespace}/{account}"
        self.asked[key] += 1
        if self.failure is not None:
            raise self.failure
        return self.roles.get(key, "")


class Outskirts:
    """Everything around one gatherer."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.sources = FakeSources(self.clock)
        self.services: FakeWatched[Service] = FakeWatched([a_service("kubernetes", namespace="default")])
        self.policies: FakeWatched[NetworkPolicy] = FakeWatched()
        self.vault = FakeVault(self.clock)
        self.images = FakeImages()
        self.roles = FakeRoles()
        self._bytes = itertools.count(1)
        self.gatherer = self.start()

    def random_bytes(self, count: int) -> bytes:
        """Other ones at each call, the same in each test."""
        return bytes([next(self._bytes)]) * count

    def start(self, config: MaterialConfig = CONFIG) -> Gatherer:
        """A gatherer as a new process has it: without memory."""
        suppliers = Suppliers(
            sources=self.sources,
            specs=self.sources,
            services=self.services,
            policies=self.policies,
            vault=self.vault,
            images=self.images,
            roles=self.roles,
            clock=self.clock,
        )
        return Gatherer(suppliers, config=config, random_bytes=self.random_bytes)
