"""Answers kube-scheduler: `POST /filter`, `/prioritize` and `/preempt`, from the grants on the virtual nodes.

Any doubt closes: a node that cannot be told real is taken as virtual, an unreadable grant as none. A reply
other than 200 would do the opposite where the extender is `ignorable`: the virtual node would stay feasible.

Serve it with a keep-alive of 120 s or more: kube-scheduler keeps idle connections for 90 s.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import msgspec
from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from app.extender import wire
from app.extender.metrics import ServerMetrics
from app.extender.roster import Roster
from app.extender.verdict import Verdict, filter_verdict, may_preempt_on, scores
from app.model.node import Node, is_virtual
from app.ports.clock import Clock
from app.ports.kubernetes import Nodes
from app.ports.watched import Watched
from app.serving.bodies import CutShort, TooLong, body_of, error_answer, http_error, json_answer
from app.serving.probes import probe_router
from app.telemetry import logs

_log = logs.get(__name__)

Answer = tuple[bytes, str]
"""The reply's JSON, and its outcome for the metrics."""

_BAD_REQUEST: Final = 400


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


def build_app(
    config: ExtenderConfig,
    *,
    nodes: Watched[Node],
    consistent: Nodes,
    clock: Clock,
    registry: CollectorRegistry,
) -> FastAPI:
    """The extender's HTTP application; its lifespan must run, since it makes the replica Ready.

    Args:
        config: bounds.
        nodes: every node of the cluster, real and virtual; the caller runs the watch.
        consistent: for the reads that the cache cannot answer.
        clock: for expiry and deadlines.
        registry: where the metrics go, and what `/metrics` shows.
    """
    metrics = ServerMetrics(registry)
    roster = Roster(nodes, consistent, clock=clock, metrics=metrics, timeout=config.lookup_timeout)
    extender = _Extender(config, roster=roster)
    synced = asyncio.Event()

    async def become_ready() -> None:
        await nodes.synced()
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
        probe_router(registry, lambda: None if synced.is_set() else "the node cache is not filled yet")
    )
    desk = _Desk(config, clock=clock, metrics=metrics)
    answers = {"filter": extender.filter, "prioritize": extender.prioritize, "preempt": extender.preempt}
    for verb, answer in answers.items():
        app.add_api_route(f"/{verb}", desk.endpoint(verb, answer), methods=["POST"])
    return app


class _Extender:
    """The three verbs: bytes in, bytes out."""

    def __init__(self, config: ExtenderConfig, *, roster: Roster) -> None:
        self._config = config
        self._roster = roster

    async def filter(self, body: bytes) -> Answer:
        args = wire.filter_args(body)
        try:
            verdict, outcome = await self._verdict(args)
        except Exception:  # noqa: BLE001  (any other reply leaves the virtual node feasible: `ignorable`)
            _log.exception("filter failed, virtual nodes stay closed", pod=args.pod.key)
            closed = self._roster.not_known_real(args.names) | args.tainted
            return wire.filter_result(args, filter_verdict(args.names, virtual=closed)), "error"
        return wire.filter_result(args, verdict), outcome

    async def prioritize(self, body: bytes) -> Answer:
        args = wire.filter_args(body)
        return wire.host_priorities(scores(args.names)), "scored"

    async def preempt(self, body: bytes) -> Answer:
        args = wire.preemption_args(body)
        names = tuple(args.victims)
        kept = may_preempt_on(names, virtual=self._roster.not_known_real(names))
        return wire.preemption_result(args, kept), "passed" if len(kept) == len(names) else "spared"

    async def _verdict(self, args: wire.FilterArgs) -> tuple[Verdict, str]:
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
            return filter_verdict(args.names, virtual=virtual), "real"
        granted = await self._granted(args, read, asked=asked)
        verdict = filter_verdict(args.names, virtual=virtual, granted=granted)
        return verdict, "burst" if verdict.passed else "no_grant"

    async def _granted(
        self, args: wire.FilterArgs, read: dict[str, Node], *, asked: frozenset[str]
    ) -> frozenset[str]:
        """Where the pod holds a grant; the cache may lag behind one that was just written, so ask then."""
        uid = args.pod.uid
        held = self._roster.holding(uid, args.names) | self._roster.holding_on(read.values(), uid)
        if held:
            return held
        late = [name for name in dict.fromkeys(args.names) if name not in asked]
        late = late[: self._config.max_lookups - len(asked)]
        return self._roster.holding_on((await self._roster.read(late)).values(), uid)


class _Desk:
    """Reads a request within bounds, counts it, and says what was wrong with a bad one."""

    def __init__(self, config: ExtenderConfig, *, clock: Clock, metrics: ServerMetrics) -> None:
        self._config = config
        self._clock = clock
        self._metrics = metrics

    def endpoint(
        self, verb: str, answer: Callable[[bytes], Awaitable[Answer]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """The route's function for one verb."""

        async def serve(request: Request) -> Response:
            begun = self._clock.steady()
            response, outcome = await self._reply(request, answer)
            self._metrics.requests.labels(verb, outcome).inc()
            self._metrics.seconds.labels(verb).observe(self._clock.steady() - begun)
            return response

        return serve

    async def _reply(
        self, request: Request, answer: Callable[[bytes], Awaitable[Answer]]
    ) -> tuple[Response, str]:
        try:
            content, outcome = await answer(await body_of(request, most=self._config.max_body))
        except wire.WireError as error:
            return error_answer(_BAD_REQUEST, str(error)), "bad_request"
        except TooLong as error:
            return error_answer(error.status, str(error)), "too_large"
        except CutShort as error:
            return error_answer(error.status, str(error)), "disconnected"
        return json_answer(200, content), outcome
