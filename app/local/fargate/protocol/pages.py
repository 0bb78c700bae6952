"""Listings in pages, with tokens that mean nothing to the client."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.local.fargate.protocol.errors import invalid

_MOST: Final = 100


def page(items: Sequence[str], params: Mapping[str, Any], *, member: str) -> dict[str, Any]:
    """The page that `params` ask for by `maxResults` (1..100, as by default) and `nextToken`.

    The token is the last item of the page before, so that a page holds whether or not items went away
    meanwhile.

    Raises:
        AwsError: another page size, or a token that nobody gave out.
    """
    size = params.get("maxResults", _MOST)
    if not 1 <= size <= _MOST:
        raise invalid("maxResults must be between 1 and 100")
    start = _start(items, params.get("nextToken"))
    found = list(items[start : start + size])
    answer: dict[str, Any] = {member: found}
    if start + size < len(items):
        answer["nextToken"] = base64.urlsafe_b64encode(f"{start + size}:{found[-1]}".encode()).decode()
    return answer


def _start(items: Sequence[str], token: str | None) -> int:
    if token is None:
        return 0
    try:
        place, _, last = base64.urlsafe_b64decode(token).decode().partition(":")
        start = int(place)
    except ValueError as cause:
        raise invalid("Invalid token") from cause
    return items.index(last) + 1 if last in items else min(start, len(items))
