"""What a session works with."""

from collections.abc import Awaitable, Callable

import msgspec

from app.aws.sessions.channel import Now, Randomness
from app.aws.sessions.websocket import Socket
from app.ports.clock import Clock


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """What a session works with. `jitter` gives a number from 0 to 1, anew with each call."""

    clock: Clock
    dial: Callable[[str], Awaitable[Socket]]
    randomness: Randomness
    jitter: Callable[[], float]

    def now(self) -> Now:
        """This moment."""
        return Now(self.clock.steady(), int(self.clock.now().timestamp() * 1000))
