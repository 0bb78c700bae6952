"""ConfigMaps and Secrets that a pod refers to: small maps as they are, values of Secrets into the vault."""

from collections.abc import Coroutine, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from app.bridge.material import entries
from app.bridge.material.findings import Findings, Kind, Refusal, hindered, missing, unreadable
from app.bridge.material.recent import Recent
from app.bridge.material.shelf import Shelf
from app.bridge.translation.material import Needs, StoredKey, StoredObject, Unready
from app.model.meta import ObjectMeta
from app.model.objects import ConfigMap, Secret
from app.model.pod import Pod
from app.model.reason import Reason
from app.ports.clock import Clock
from app.ports.failures import NotFound, Refused
from app.ports.kubernetes import Sources

T = TypeVar("T")
Name = tuple[str, str]
"""Namespace and name."""

LARGE: Final = 8192
"""Bytes of keys and values; a larger ConfigMap goes into the vault, lest it fill the task definition."""

_VAULT_MEND: Final = (
    "allow secretsmanager:CreateSecret, TagResource, DescribeSecret, RestoreSecret and GetSecretValue on "
    "secret:spillway/* in the policy of the bridge's role"
)


class ConfigMaps(NamedTuple):
    """What was found, by name."""

    plain: dict[str, ConfigMap]
    stored: dict[str, StoredObject]


class _Value(NamedTuple):
    """What an object holds, and which of its keys the pod uses (None: all)."""

    kind: Kind
    meta: ObjectMeta
    data: Mapping[str, bytes]
    used: frozenset[str] | None


class Referred:
    """Reads, and stores. `names` collects the entries that a pod needs."""

    def __init__(self, sources: Sources, shelf: Shelf, *, prefix: str, clock: Clock, fresh: float) -> None:
        """Ask nothing yet.

        Args:
            sources: Kubernetes.
            shelf: where values go.
            prefix: how the names of our entries begin.
            clock: time.
            fresh: seconds for which an answer is shared.
        """
        self._shelf = shelf
        self._prefix = prefix
        self._sources = sources
        self._maps: Recent[Name, ConfigMap] = Recent(clock=clock, seconds=fresh)
        self._secrets: Recent[Name, Secret] = Recent(clock=clock, seconds=fresh)

    async def config_maps(self, pod: Pod, needs: Needs, *, findings: Findings, names: set[str]) -> ConfigMaps:
        """The pod's ConfigMaps. Raises PortFailure."""
        found = ConfigMaps({}, {})
        for name, optional in needs.config_maps.items():
            reading = self.config_map(pod.metadata.namespace, name)
            read = findings.take(await _answer(pod, reading, "configmap", name, optional=optional))
            if read is None:
                continue
            data = _data_of(read)
            if sum(len(key) + len(value) for key, value in data.items()) <= LARGE:
                found.plain[name] = read
                continue
            used = needs.config_map_keys.get(name)
            value = _Value("configmap", read.metadata, data, used)
            stored = findings.take(await self._store(pod, value, names))
            if stored is not None:
                found.stored[name] = stored
        return found

    async def secrets(
        self, pod: Pod, needs: Needs, *, findings: Findings, names: set[str]
    ) -> dict[str, StoredObject]:
        """The pod's Secrets, by where their values are. Raises PortFailure."""
        found: dict[str, StoredObject] = {}
        for name, optional in needs.secrets.items():
            reading = self.secret(pod.metadata.namespace, name)
            read = findings.take(await _answer(pod, reading, "secret", name, optional=optional))
            if read is None:
                continue
            used = needs.secret_keys.get(name)
            value = _Value("secret", read.metadata, read.data, used)
            stored = findings.take(await self._store(pod, value, names))
            if stored is not None:
                found[name] = stored
        return found

    async def config_map(self, namespace: str, name: str) -> ConfigMap:
        """One ConfigMap. Raises PortFailure."""
        return await self._maps.of((namespace, name), lambda: self._sources.config_map(namespace, name))

    async def secret(self, namespace: str, name: str) -> Secret:
        """One Secret, its values included. Raises PortFailure."""
        return await self._secrets.of((namespace, name), lambda: self._sources.secret(namespace, name))

    async def _store(self, pod: Pod, value: _Value, names: set[str]) -> StoredObject | Unready | Refusal:
        """Every key that fits is stored, used or not: an entry's name stands for one content."""
        kind, meta = value.kind, value.meta
        oversized = entries.too_large(value.data)
        refused = [key for key in oversized if value.used is None or key in value.used]
        if refused:
            return tuple(_oversized(kind, meta.name, key) for key in refused)
        data = {key: each for key, each in value.data.items() if key not in oversized}
        keys: dict[str, StoredKey] = {}
        for number, part in enumerate(entries.parts_of(data), start=1):
            more = (number,) if number > 1 else ()
            name = entries.entry_name(self._prefix, meta, *more)
            try:
                arn = await self._shelf.put(name, part.content)
            except Refused as failure:
                return hindered(pod, kind, meta.name, unstored(f'{kind} "{meta.name}"', failure))
            names.add(name)
            keys |= {key: StoredKey(f"{arn}:{key}::", encoded=key in part.encoded) for key in part.content}
        return StoredObject(keys)


async def _answer(
    pod: Pod, reading: Coroutine[Any, Any, T], kind: Kind, name: str, *, optional: bool
) -> T | Unready | Refusal:
    try:
        return await reading
    except NotFound:
        return () if optional else missing(pod, kind, name)
    except Refused as failure:
        why = unreadable(failure, verb="get", resource=f"{kind}s", namespace=pod.metadata.namespace)
        return hindered(pod, kind, name, why)


def unstored(what: str, failure: Refused) -> str:
    """Why the vault does not take it, with the mend."""
    return f"{what} cannot be put into AWS Secrets Manager: {failure}; {_VAULT_MEND}"


def _data_of(config_map: ConfigMap) -> dict[str, bytes]:
    return {**{key: text.encode() for key, text in config_map.data.items()}, **config_map.binary_data}


def _oversized(kind: Kind, name: str, key: str) -> Reason:
    code, word = {"configmap": ("ConfigMapSize", "ConfigMap"), "secret": ("SecretSize", "Secret")}[kind]
    return Reason(
        code,
        f'key "{key}" of {word} "{name}" does not fit into one entry of AWS Secrets Manager '
        f"({entries.LARGEST} bytes as JSON, base64 where it is no text); "
        "split it, or fetch it in the container",
    )
