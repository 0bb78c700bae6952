"""Answers kube-scheduler: `POST /filter`, `/prioritize` and `/preempt`, from the grants on the virtual nodes.

Any doubt closes: a node that cannot be told real is taken as virtual, an unreadable grant as none. A reply
other than 200 would do the opposite where the extender is `ignorable`: the virtual node would stay feasible.

Serve it with a keep-alive of 120 s or more: kube-scheduler keeps idle connections for 90 s.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from app.extender.answer import wire
from app.extender.answer.desk import Answer, Desk
from app.extender.answer.preemption import Preemption
from app.extender.answer.roster import Roster
from app.extender.answer.verdict import Verdict, filter_verdict, may_preempt_on, scores
from app.extender.metrics import ServerMetrics
from app.model.node import Node, is_virtual
from app.ports.clock import Clock
from app.ports.kubernetes import Nodes
from app.ports.watched import Watched
from app.serving.bodies import http_error
from app.serving.probes import Metrics, probe_router
from app.telemetry import logs

_log = logs.get(__name__)


class ExtenderConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The server's bounds.

    Attributes:
        lookup_timeout: seconds for a consistent read; two may follow each other within one answer, so keep
            twice this below the scheduler's `httpTimeout`.
        max_lookups: consistent reads for one answer; nodes beyond that wait for the watch.
        max_body: bytes of a request.
    """

    lookup_timeout: float = 0.8
    max_lookups: int = 64
    max_body: int = 64 * 1024 * 1024


def build_app(  # noqa: PLR0913  (a shell is handed all that it touches)
    config: ExtenderConfig,
    *,
    nodes: Watched[Node],
    consistent: Nodes,
    clock: Clock,
    registry: CollectorRegistry,
    preemption: Preemption | None = None,
    metrics: Metrics | None = None,
) -> FastAPI:
    """The extender's HTTP application; its lifespan must run, since it makes the replica Ready.

    Args:
        config: bounds.
        nodes: every node of the cluster, real and virtual; the caller runs the watch.
        consistent: for the reads that the cache cannot answer.
        clock: for expiry and deadlines.
        registry: where the metrics go.
        preemption: for whom nobody is to be evicted; without it everybody preempts as ever.
        metrics: what `/metrics` shows, if not the registry alone.
    """
    counters = ServerMetrics(registry)
    roster = Roster(nodes, consistent, clock=clock, metrics=counters, timeout=config.lookup_timeout)
    extender = _Extender(config, roster=roster, preemption=preemption)
    synced = asyncio.Event()

    async def become_ready() -> None:
        await nodes.synced()
        if preemption is not None:
            await preemption.synced()
        roster.refill()
        synced.set()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(become_ready())
        yield
        task.cancel()
        await asyncio.wait({task})

    app = FastAPI(title="Spillway extender", lifespan=lifespan, openapi_url=None)
    app.add_exception_handler(HTTPException, http_error)
    app.include_router(
        probe_router(
            registry,
            lambda: None if synced.is_set() else "the node cache is not filled yet",
            metrics=metrics,
        )
    )
    verbs = {"filter": extender.filter, "prioritize": extender.prioritize, "preempt": extender.preempt}
    app.add_middleware(Desk, verbs=verbs, most=config.max_body, clock=clock, metrics=counters)
    return app


class _Extender:
    """The three verbs: bytes in, bytes out."""

    def __init__(self, config: ExtenderConfig, *, roster: Roster, preemption: Preemption | None) -> None:
        self._config = config
        self._roster = roster
        self._preemption = preemption if preemption is not None and preemption.matters else None

    async def filter(self, body: bytes) -> Answer:
        args = wire.filter_args(body)
        try:
            verdict, outcome = await self._verdict(args, self._early(args, body))
        except Exception:  # noqa: BLE001  (any other reply leaves the virtual node feasible: `ignorable`)
            _log.exception("filter failed, virtual nodes stay closed", pod=args.pod.key)
            closed = self._roster.not_known_real(args.names) | args.tainted
            return wire.filter_result(args, filter_verdict(args.names, virtual=closed)), "error"
        return wire.filter_result(args, verdict), outcome

    async def prioritize(self, body: bytes) -> Answer:
        args = wire.filter_args(body)
        early = self._early(args, body)
        return wire.host_priorities(scores(args.names, early=early)), "early" if early else "scored"

    async def preempt(self, body: bytes) -> Answer:
        args = wire.preemption_args(body)
        names = tuple(args.victims)
        kept = may_preempt_on(names, virtual=self._roster.not_known_real(names))
        allowed = self._allowed(args)
        outcome = "passed" if len(kept) == len(names) else "spared"
        return wire.preemption_result(args, kept & allowed), outcome if kept <= allowed else "vetoed"

    def _allowed(self, args: wire.PreemptionArgs) -> frozenset[str]:
        """Where the pod's priority class lets it evict others."""
        if self._preemption is None:
            return frozenset(args.victims)
        try:
            return self._preemption.allowed(
                wire.whole_pod(args), args.uids(), virtual=self._roster.virtual_nodes()
            )
        except Exception:  # noqa: BLE001  (any other reply lets virtual nodes be preempted on: `ignorable`)
            _log.exception("priority class unknown, the pod preempts as ever", pod=args.pod.key)
            return frozenset(args.victims)

    async def _verdict(self, args: wire.FilterArgs, early: frozenset[str]) -> tuple[Verdict, str]:
        known = self._roster.virtual()
        read: dict[str, Node] = {}
        unknown: frozenset[str] = frozenset()
        asked: frozenset[str] = frozenset()
        if args.items is None:
            unknown = self._roster.unknown(args.names)
            asked = frozenset(sorted(unknown)[: self._config.max_lookups])
            read = await self._roster.read(asked)
        closed = {name for name in unknown if name not in read or is_virtual(read[name])}
        virtual = known | args.tainted | closed
        if not virtual.issuperset(args.names):
            return filter_verdict(args.names, virtual=virtual, early=early), "early" if early else "real"
        held = self._held(args, read)
        granted = held | early or await self._granted(args, asked=asked)
        verdict = filter_verdict(args.names, virtual=virtual, granted=granted)
        return verdict, "burst" if verdict.passed else "no_grant"

    def _early(self, args: wire.FilterArgs, body: bytes) -> frozenset[str]:
        """Where the pod may land early: its controller is let in, and it asks for no more than its like."""
        if not self._roster.early(args.pod.owner, args.names):
            return frozenset()
        asked = wire.requests_in(body)
        if asked is None:
            return frozenset()
        return self._roster.early(args.pod.owner, args.names, asked=asked)

    def _held(self, args: wire.FilterArgs, read: dict[str, Node]) -> frozenset[str]:
        """Where the pod holds a grant, as far as is known."""
        uid = args.pod.uid
        return self._roster.holding(uid, args.names) | self._roster.holding_on(read.values(), uid)

    async def _granted(self, args: wire.FilterArgs, *, asked: frozenset[str]) -> frozenset[str]:
        """Where it holds one that the cache has not seen yet: it may have been written a moment ago."""
        late = [name for name in dict.fromkeys(args.names) if name not in asked]
        late = late[: self._config.max_lookups - len(asked)]
        return self._roster.holding_on((await self._roster.read(late)).values(), args.pod.uid)
