"""One call of AWS, granted by the limiter, which learns from how it went."""

from app.aws.connection import Channel
from app.aws.limiter import Lane, Limiter
from app.model.wire import Json
from app.ports.failures import Throttled, Unavailable


async def paced(
    channel: Channel, limiter: Limiter, lane: Lane, operation: str, *, attempts: int = 1, **parameters: Json
) -> dict[str, Json]:
    """Wait for leave, call, and report throttling to the limiter.

    Args:
        channel: the client to call.
        limiter: who grants calls.
        lane: the throttle that the operation falls under.
        operation: as boto3 spells it, `describe_tasks`.
        attempts: how often to try in all when throttled or unanswered; more than 1 only for what may safely
            be done twice.
        parameters: the request.

    Raises:
        PortFailure: the last attempt's failure.
    """
    for left in reversed(range(attempts)):
        await limiter.grant(lane)
        try:
            return await channel.call(operation, **parameters)
        except Throttled:
            limiter.throttled(lane)
            if not left:
                raise
        except Unavailable:
            if not left:
                raise
    raise ValueError(f"attempts is {attempts}; it must be at least 1")
