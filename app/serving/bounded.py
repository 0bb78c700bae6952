"""uvicorn's HTTP protocol with bounds on what a client may keep us waiting for and holding.

uvicorn limits only the pause between two requests. Without more, a client that never ends its request keeps
its connection for ever, and one that never ends its headers fills our memory.
"""

import asyncio
from typing import Any, Final

from app.ports.clock import Clock
from app.serving.leaving import LeavingHttp

ARRIVAL: Final = 30.0
"""Seconds from a request's first byte to its last; no API server waits longer for a webhook."""

MOST_HEAD: Final = 64 * 1024
"""Bytes of request line and headers; what one read brought with the last of them may come on top."""

MOST_HEADERS: Final = 200
"""Header lines of a request, trailers included."""


class BoundedHttp(LeavingHttp):
    """One connection. `silence` is how many seconds a client may take before its first request."""

    clock: Clock
    silence: float
    most_head: int = MOST_HEAD

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """A client is there; it may take its time before it asks."""
        super().connection_made(transport)
        self._alarm: asyncio.Task[None] | None = None
        self._arriving = False
        self._unread_head = 0
        self._set_alarm(self.silence)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._unset_alarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request: its time runs from the first of them.

        Most requests come whole in one read, and need no alarm.
        """
        self._begin_arrival()
        self._unread_head += len(data)
        super().data_received(data)
        if self._arriving and self._alarm is None:
            self._set_alarm(ARRIVAL)
        if self._arriving and self._unread_head > self.most_head and not self.transport.is_closing():
            self.send_400_response("The request's head is too long.")

    def on_message_begin(self) -> None:
        """A request begins, maybe in the bytes that ended the one before."""
        super().on_message_begin()
        self._begin_arrival()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one trailer."""
        if len(self.headers) >= MOST_HEADERS:
            raise ValueError(f"more than {MOST_HEADERS} headers")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """What follows is the body, whose size the application bounds."""
        self._unread_head = -(2**63)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole; how long the answer takes is our own affair."""
        self._unset_alarm()
        self._arriving = False
        super().on_message_complete()

    def _begin_arrival(self) -> None:
        if not self._arriving:
            self._arriving = True
            self._unread_head = 0
            self._unset_alarm()

    def _set_alarm(self, seconds: float) -> None:
        self._unset_alarm()
        self._alarm = self.loop.create_task(self._give_up_after(seconds))

    def _unset_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    async def _give_up_after(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self._alarm = None
        self.transport.abort()


def bounded(
    clock: Clock, *, silence: float, protocol: type[BoundedHttp] = BoundedHttp, linger: float = 0.0
) -> type[Any]:
    """The protocol for uvicorn's `http` setting, with this clock."""
    return type("ClockedHttp", (protocol,), {"clock": clock, "silence": silence, "linger": linger})
