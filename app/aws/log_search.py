"""All pages of one look into a log group (FilterLogEvents).

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from app.aws.connection import Connection
from app.aws.limiter import Lane, Limiter
from app.aws.paced import paced
from app.model.wire import Json

MOST_PAGES: Final = 100
"""Of one look, up to 10,000 events or 1 MB each; a page may be empty though others follow."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def filtered(
    connection: Connection,
    limiter: Limiter,
    *,
    since: datetime,
    keep: Callable[[Json], bool] = lambda _: True,
    **parameters: Json,
) -> list[Json]:
    """The events from then on that the further parameters of the request choose, oldest first.

    Of each page only what `keep` wants is held: tenants can write more into a group than fits in memory.
    Raises NotFound where there is no such group, and Throttled, Refused, Unavailable.
    """
    found: list[Json] = []
    token: dict[str, Json] = {}
    for _ in range(MOST_PAGES):
        page = await paced(
            connection.logs,
            limiter,
            Lane.INSIGHTS,
            "filter_log_events",
            attempts=3,
            startTime=(since - _EPOCH) // timedelta(milliseconds=1),
            **parameters,
            **token,
        )
        found += filter(keep, page.get("events", ()))
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    return found
