"""The API on a socket: AWS's endpoint at `/`, and the control endpoint beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.local.fargate.faults.orders import Faults
from app.local.fargate.faults.outcomes import fault_from
from app.local.fargate.journal import Journal
from app.local.fargate.protocol.wire import CONTENT_TYPE
from app.local.fargate.service.api import Api
from app.local.fargate.session_manager.channel import DataChannels
from app.local.fargate.tasks.metadata import Metadata

_MOST_ENTRIES: Final = 10_000

HangUp = Callable[[tuple[str, int]], None]


@dataclass(kw_only=True)
class Endpoints:
    """The routes.

    Attributes:
        state: what GET /_spillway/state answers.
        hang_up: closes a client's connection.
        metadata: what containers may read about themselves.
        channels: the way to sessions in containers.
    """

    api: Api
    faults: Faults
    journal: Journal
    state: Callable[[], dict[str, Any]]
    ids: Callable[[], str]
    hang_up: HangUp
    metadata: Metadata
    channels: DataChannels

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.answer_aws, methods=["POST"]),
                Route("/_spillway/faults", self.answer_faults, methods=["GET", "POST", "DELETE"]),
                Route("/_spillway/journal", self.answer_journal),
                Route("/_spillway/state", self.answer_state),
                *self.metadata.routes(),
                *self.channels.routes(),
            ],
            exception_handlers={ClientDisconnect: _answer_nobody},
        )

    async def answer_aws(self, request: Request) -> Response:
        """One request in AWS's protocol."""
        target = request.headers.get("x-amz-target", "")
        answer = await self.api.handle(target, await request.body())
        if answer.withheld:
            return _Withheld(self.hang_up)
        headers = {"x-amzn-requestid": self.ids(), **answer.headers}
        return Response(answer.body, answer.status, headers=headers, media_type=CONTENT_TYPE)

    async def answer_faults(self, request: Request) -> Response:
        """POST one fault, GET those that are still open, DELETE them all."""
        if request.method == "DELETE":
            self.faults.clear()
        elif request.method == "POST":
            try:
                self.faults.add(fault_from(await request.body()))
            except msgspec.MsgspecError as cause:
                return _json({"message": f"That is not a fault: {cause}"}, status=400)
        return _json({"faults": self.faults.pending()})

    async def answer_journal(self, request: Request) -> Response:
        """The entries from `since` on, and the number to go on from; at most 10,000 at a time."""
        since = request.query_params.get("since", "0")
        if not since.isdecimal():
            return _json({"message": "since must be the number of an entry"}, status=400)
        entries = self.journal.since(int(since))[:_MOST_ENTRIES]
        return _json({"entries": entries, "next": int(since) + len(entries)})

    async def answer_state(self, _request: Request) -> Response:
        """A summary of what there is now."""
        return _json(self.state())


def _answer_nobody(_request: Request, _gone: Exception) -> Response:
    """The client went away in the middle of its request: nothing was asked, and nobody reads this."""
    return Response(status_code=400)


def _json(value: Any, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")


class _Withheld(Response):
    """No answer at all: the connection is closed, as if the network had lost it."""

    def __init__(self, hang_up: HangUp) -> None:
        super().__init__()
        self._hang_up = hang_up

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        self._hang_up(tuple(scope["client"]))
        while (await receive())["type"] != "http.disconnect":
            continue
