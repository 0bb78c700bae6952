"""The extender on the wire: capitalised keys out, any case in, over one kept-alive connection.

Format: https://pkg.go.dev/k8s.io/kube-scheduler/extender/v1
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from app.local.cluster.scheduling.config import ExtenderConfig
from app.local.cluster.scheduling.snapshot import Rejection
from app.local.http_client import HttpClient, HttpError, loopback_tls
from app.model.pod import Pod
from app.model.wire import Json

T = TypeVar("T")
_OK = 200
_SCALE = 10
"""A node's total score counts to 100 for each plugin, an extender's to 10."""


class ExtenderError(Exception):
    """The extender did not answer, said that it failed, or named nodes or pods that nobody asked about."""


class FilterResult(msgspec.Struct, frozen=True, kw_only=True):
    """The nodes that are left, in the extender's order, and why the others are not."""

    feasible: tuple[str, ...]
    rejected: Mapping[str, Rejection]


class Extender:
    """Asks one extender; every failure is an ExtenderError, for the caller to ignore or not."""

    def __init__(self, config: ExtenderConfig) -> None:
        self.config = config
        parts = urlsplit(config.url_prefix)
        tls = loopback_tls(config.ca_pem) if config.ca_pem else None
        self._path = parts.path.rstrip("/")
        self._client = HttpClient(f"{parts.scheme}://{parts.netloc}", timeout=config.timeout, tls=tls)

    def is_interested(self, pod: Json) -> bool:
        """Whether it is asked about the pod at all, by any verb; quantities do not matter."""
        managed = self.config.managed_resources
        return not managed or any(
            not managed.isdisjoint((resources.get(group) or {}).keys())
            for resources in _resources_of(pod)
            for group in ("requests", "limits")
        )

    async def filter(self, pod: Json, nodes: Mapping[str, Json]) -> FilterResult:
        """Which of these nodes (whole, by name) are left.

        Raises:
            ExtenderError: see the class.
        """
        answer = await self._call(self.config.filter_verb, self._arguments(pod, nodes), _FilterAnswer)
        if answer.error:
            raise ExtenderError(answer.error)
        return _filter_result(answer, asked=tuple(nodes), url=self.config.url_prefix)

    async def prioritize(self, pod: Json, nodes: Mapping[str, Json]) -> dict[str, int]:
        """What the extender adds to each node's score; nothing where it has no verb for it.

        Raises:
            ExtenderError: see the class.
        """
        if not self.config.prioritize_verb:
            return {}
        arguments = self._arguments(pod, nodes)
        scores = await self._call(self.config.prioritize_verb, arguments, tuple[_HostScore, ...])
        return {each.host: each.score * self.config.weight * _SCALE for each in scores}

    async def preempt(
        self, pod: Json, candidates: Mapping[str, tuple[Pod, ...]], running: Mapping[str, tuple[Pod, ...]]
    ) -> dict[str, tuple[Pod, ...]]:
        """Which candidates are left; `running` holds all pods by node, to find the victims it names.

        Raises:
            ExtenderError: see the class; also for a candidate without victims, unless ignorable.
        """
        answer = await self._call(self.config.preempt_verb, self._victims(pod, candidates), _PreemptAnswer)
        kept = answer.nodenametometavictims or {}
        named = {name: self._find_victims(name, meta, running) for name, meta in kept.items()}
        if not self.config.ignorable and not all(named.values()):
            raise ExtenderError(f"{self.config.url_prefix} kept a preemption candidate without victims")
        return {name: victims for name, victims in named.items() if victims}

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    def _arguments(self, pod: Json, nodes: Mapping[str, Json]) -> Json:
        if self.config.node_cache_capable:
            return {"Pod": pod, "Nodes": None, "NodeNames": list(nodes)}
        return {"Pod": pod, "Nodes": {"metadata": {}, "items": list(nodes.values())}, "NodeNames": None}

    def _victims(self, pod: Json, candidates: Mapping[str, tuple[Pod, ...]]) -> Json:
        if not self.config.node_cache_capable:
            whole = {
                name: {"Pods": [msgspec.to_builtins(each) for each in victims], "NumPDBViolations": 0}
                for name, victims in candidates.items()
            }
            return {"Pod": pod, "NodeNameToVictims": whole, "NodeNameToMetaVictims": None}
        meta = {
            name: {"Pods": [{"UID": each.uid} for each in victims], "NumPDBViolations": 0}
            for name, victims in candidates.items()
        }
        return {"Pod": pod, "NodeNameToVictims": None, "NodeNameToMetaVictims": meta}

    def _find_victims(
        self, name: str, meta: "_MetaVictims", running: Mapping[str, tuple[Pod, ...]]
    ) -> tuple[Pod, ...]:
        here = {str(pod.uid): pod for pod in running.get(name, ())}
        try:
            return tuple(here[each.uid] for each in meta.pods or ())
        except KeyError as error:
            raise ExtenderError(
                f"{self.config.url_prefix} named a victim on node {name} that does not run there"
            ) from error

    async def _call(self, verb: str, arguments: Json, kind: type[T]) -> T:
        url = f"{self.config.url_prefix.rstrip('/')}/{verb}"
        try:
            response = await self._client.request(
                "POST", f"{self._path}/{verb}", body=msgspec.json.encode(arguments)
            )
        except HttpError as error:
            raise ExtenderError(f'Post "{url}": {error}') from error
        if response.status != _OK:
            raise ExtenderError(f"failed {verb} with extender at URL {url}, code {response.status}")
        try:
            return msgspec.convert(_lowered(msgspec.json.decode(response.body)), kind)
        except msgspec.MsgspecError as error:
            raise ExtenderError(f"{url} sent an answer that cannot be read: {error}") from error


def _resources_of(pod: Json) -> Iterable[Json]:
    spec = pod["spec"]
    containers = (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
    return (each.get("resources") or {} for each in containers)


class _Metadata(msgspec.Struct, frozen=True):
    name: str


class _NodeItem(msgspec.Struct, frozen=True):
    metadata: _Metadata


class _NodeList(msgspec.Struct, frozen=True):
    items: tuple[_NodeItem, ...] | None = None


class _FilterAnswer(msgspec.Struct, frozen=True):
    nodes: _NodeList | None = None
    nodenames: tuple[str, ...] | None = None
    failednodes: dict[str, str] | None = None
    failedandunresolvablenodes: dict[str, str] | None = None
    error: str = ""


class _HostScore(msgspec.Struct, frozen=True):
    host: str
    score: int


class _MetaPod(msgspec.Struct, frozen=True):
    uid: str


class _MetaVictims(msgspec.Struct, frozen=True):
    pods: tuple[_MetaPod, ...] | None = None


class _PreemptAnswer(msgspec.Struct, frozen=True):
    nodenametometavictims: dict[str, _MetaVictims] | None = None


def _filter_result(answer: _FilterAnswer, *, asked: Sequence[str], url: str) -> FilterResult:
    names = answer.nodenames
    if names is None:
        listed = answer.nodes.items if answer.nodes is not None else None
        names = tuple(item.metadata.name for item in listed or ())
    unknown = set(names) - set(asked)
    if unknown:
        raise ExtenderError(
            f'extender "{url}" claims a filtered node "{min(unknown)}" '
            "which is not found in the input node list"
        )
    failed = answer.failednodes or {}
    hopeless = answer.failedandunresolvablenodes or {}
    dropped = [name for name in asked if name not in names]
    return FilterResult(
        feasible=names,
        rejected={name: _rejection(name, failed, hopeless) for name in dropped},
    )


def _rejection(name: str, failed: Mapping[str, str], hopeless: Mapping[str, str]) -> Rejection:
    """A node dropped without a word counts as one that eviction cannot help."""
    if name in failed and name not in hopeless:
        return Rejection(plugin="Extender", reasons=(failed[name],), resolvable=True)
    reasons = (hopeless[name],) if name in hopeless else ()
    return Rejection(plugin="Extender", reasons=reasons)


def _lowered(value: Json) -> Json:
    """Every key in lower case: Go's decoder does not care about theirs, and node names have no other."""
    match value:
        case dict():
            return {key.lower(): _lowered(each) for key, each in value.items()}
        case list():
            return [_lowered(each) for each in value]
        case _:
            return value
