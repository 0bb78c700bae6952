"""The hot routes as bare ASGI: a request read within bounds, answered, counted; a bad one told what is wrong.

kube-scheduler waits for each answer before it looks at the next pod. With 100 names this takes 30
microseconds, where FastAPI's routes took 63.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.extender.answer import wire
from app.extender.metrics import ServerMetrics
from app.ports.clock import Clock
from app.serving.bodies import CutShort, TooLong, body_of, error_answer, json_answer

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

Answer = tuple[bytes, str]
"""The reply's JSON, and its outcome for the metrics."""

_BAD_REQUEST: Final = 400
_METHOD_NOT_ALLOWED: Final = 405


class Desk:
    """ASGI middleware: answers the verbs, and passes on everything else.

    Args:
        app: what answers the rest.
        verbs: what answers each path, from the request's body.
        most: bytes of a request.
        clock: measures how long an answer takes.
        metrics: counts them.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        verbs: Mapping[str, Callable[[bytes], Awaitable[Answer]]],
        most: int,
        clock: Clock,
        metrics: ServerMetrics,
    ) -> None:
        self._app = app
        self._verbs = {f"/{name}": verb for name, verb in verbs.items()}
        self._most = most
        self._clock = clock
        self._metrics = metrics
        self._children: dict[tuple[str, str], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        verb = self._verbs.get(scope["path"]) if scope["type"] == "http" else None
        if verb is None:
            await self._app(scope, receive, send)
            return
        begun = self._clock.steady()
        name = scope["path"].removeprefix("/")
        response, outcome = await self._reply(scope, receive, verb)
        self._count(name, outcome, seconds=self._clock.steady() - begun)
        await response(scope, receive, send)

    def _count(self, name: str, outcome: str, *, seconds: float) -> None:
        """Prometheus' own look-up of a child by its labels takes as long as the answer's JSON."""
        known = self._children.get((name, outcome))
        if known is None:
            known = (self._metrics.requests.labels(name, outcome), self._metrics.seconds.labels(name))
            self._children[name, outcome] = known
        requests, took = known
        requests.inc()
        took.observe(seconds)

    async def _reply(
        self, scope: Scope, receive: Receive, verb: Callable[[bytes], Awaitable[Answer]]
    ) -> tuple[Response, str]:
        if scope["method"] != "POST":
            refusal = error_answer(_METHOD_NOT_ALLOWED, "only POST is answered here")
            refusal.headers["allow"] = "POST"
            return refusal, "bad_request"
        try:
            content, outcome = await verb(await body_of(Request(scope, receive), most=self._most))
        except wire.WireError as error:
            return error_answer(_BAD_REQUEST, str(error)), "bad_request"
        except TooLong as error:
            return error_answer(error.status, str(error)), "too_large"
        except CutShort as error:
            return error_answer(error.status, str(error)), "disconnected"
        return json_answer(200, content), outcome
