"""Reconnecting a session whose connection broke."""

from collections.abc import Awaitable, Callable
from typing import Final

from app.aws.sessions.management import Management, Opened
from app.aws.sessions.websocket import LostError, Socket
from app.ports.clock import Clock
from app.ports.failures import NotFound, Refused, Throttled, Unavailable
from app.timing.backoff import delay

RECONNECT_WITHIN: Final = 120.0
"""Seconds of tries; the session waits longer, but nobody waits for it."""

_FIRST: Final = 0.5
_LONGEST: Final = 10.0


async def resumed(
    management: Management,
    connect: Callable[[Opened], Awaitable[Socket]],
    *,
    clock: Clock,
    jitter: Callable[[], float],
) -> Socket:
    """A new connection of the same session.

    Args:
        management: of the session.
        connect: connects and introduces itself. Raises Unavailable or LostError.
        clock: time.
        jitter: a number from 0 to 1, anew with each call.

    Raises:
        Unavailable: there is none; the message says why.
    """
    begun, failures = clock.steady(), 0
    while True:
        try:
            return await connect(await management.resume())
        except NotFound as failure:
            raise Unavailable(
                f"the session ended while its connection was broken, its command's end is unknown: {failure}"
            ) from failure
        except Refused as failure:
            raise Unavailable(
                f"the session's connection broke and may not be resumed: {failure}; "
                "allow ssm:ResumeSession in the policy of the bridge's role"
            ) from failure
        except (LostError, Throttled, Unavailable) as failure:
            failures += 1
            pause = delay(failures, first=_FIRST, longest=_LONGEST, jitter=jitter())
            if clock.steady() + pause - begun > RECONNECT_WITHIN:
                raise Unavailable(
                    f"the session's connection broke and could not be resumed: {failure}"
                ) from failure
        await clock.sleep(pause)
