"""RunTask's idempotency: what a client token was used for, and what came of it.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from app.local.fargate.protocol.errors import conflict

_LONGEST: Final = 24 * 3600.0


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """One use of a token: the parameters' fingerprint, the tasks' ids and ARNs, and when (steady seconds)."""

    fingerprint: bytes
    ids: tuple[str, ...]
    arns: tuple[str, ...]
    at: float


def fingerprint(params: dict[str, Any]) -> bytes:
    """Equal for equal requests, whatever their tokens and the order of their members."""
    rest = {name: value for name, value in params.items() if name != "clientToken"}
    return hashlib.sha256(msgspec.json.encode(rest, order="deterministic")).digest()


class ClientTokens:
    """The tokens of one cluster. A token is good for 24 hours, but no longer than its tasks are known.

    `knows` says whether a task, given by its id, still is.
    """

    def __init__(self, *, knows: Callable[[str], bool]) -> None:
        self._knows = knows
        self._uses: dict[str, Use] = {}

    def used(self, params: dict[str, Any], *, now: float) -> Use | None:
        """The earlier use of the request's token; None where it is new, or absent.

        Raises:
            AwsError: ConflictException, where it was used with other parameters.
        """
        token = params.get("clientToken")
        use = self._uses.get(token) if token is not None else None
        if use is None or token is None:
            return None
        if self._is_over(use, now=now):
            del self._uses[token]
            return None
        if use.fingerprint != fingerprint(params):
            raise conflict(
                "The clientToken was used before with other parameters.",
                existing=use.arns,
            )
        return use

    def note(self, params: dict[str, Any], *, ids: Sequence[str], arns: Sequence[str], now: float) -> None:
        """Remember what the request's token, if it has one, was used for."""
        if "clientToken" in params:
            self._uses[params["clientToken"]] = Use(
                fingerprint=fingerprint(params), ids=tuple(ids), arns=tuple(arns), at=now
            )

    def _is_over(self, use: Use, *, now: float) -> bool:
        return now - use.at >= _LONGEST or not any(map(self._knows, use.ids))
