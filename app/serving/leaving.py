"""uvicorn's HTTP protocol that takes leave of its clients, instead of hanging up.

uvicorn closes idle connections when it is told to stop. A client that writes its next request at that
moment gets no answer, and Go's clients (API server, kube-scheduler) do not repeat a POST: the pod is
admitted unseen. So a connection that was used just now stays; its next answer says `Connection: close`
(https://www.rfc-editor.org/rfc/rfc9112#section-9.6), and only silence closes it without one.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGER: Final = 3.0
"""Seconds after an answer in which the next request is waited for; uvicorn gives five to all of its end."""


class LeavingHttp(HttpToolsProtocol):
    """One connection. `linger` is how many seconds it stays after an answer while the server stops."""

    linger: float = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """A client is there."""
        super().connection_made(transport)
        self._leaving = False
        self._under_way = False
        self._answered: float | None = None

    def shutdown(self) -> None:
        """The server stops: close now, after the next answer, or after silence."""
        self._leaving = True
        if self._under_way:
            super().shutdown()
            return
        silent = self.linger if self._answered is None else self.loop.time() - self._answered
        if silent < self.linger:
            self.loop.call_later(self.linger - silent, self._close_if_silent, self._answered)
        else:
            super().shutdown()

    def on_headers_complete(self) -> None:
        """A request: while leaving, its answer is the last one."""
        self._under_way = True
        super().on_headers_complete()
        if self._leaving:
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        """An answer is sent."""
        self._under_way = False
        self._answered = self.loop.time()
        super().on_response_complete()

    def _close_if_silent(self, answered: float | None) -> None:
        if not self._under_way and self._answered == answered:
            self.transport.close()
