"""Our own logins for Amazon ECR (app.ports.images.Logins).

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
"""

import asyncio
import base64
import binascii
import re
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from app.aws.connection import Connection
from app.aws.limiter import Lane, Limiter
from app.aws.paced import paced
from app.model.registry_login import RegistryLogin
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import Unavailable
from app.ports.images import Logins

_HOST: Final = re.compile(
    r"[0-9]{12}\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z]{2}(?:-[a-z0-9]+)+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)"
)
"""A private registry. public.ecr.aws needs no login."""

_MARGIN: Final = timedelta(minutes=30)
"""A token is asked for anew so long before its end; ECR's live twelve hours."""

_ATTEMPTS: Final = 3


class _Password(NamedTuple):
    """A password, and when it ends; its text form never shows it."""

    username: str
    password: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"_Password(until {self.expires_at})"


class EcrLogins(Logins):
    """GetAuthorizationToken: one token is good for all registries of a region that our role may read."""

    def __init__(self, connection: Connection, *, limiter: Limiter, clock: Clock) -> None:
        """Ask nothing yet."""
        self._connection = connection
        self._limiter = limiter
        self._clock = clock
        self._passwords: dict[str, _Password] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def login(self, host: str) -> RegistryLogin | None:
        """The login for `HOST[:PORT]`; None where it is no private registry of ECR.

        Raises Refused, Throttled, Unavailable.
        """
        found = _HOST.fullmatch(host)
        if found is None:
            return None
        region = found["region"]
        async with self._turns[region]:
            known = self._passwords.get(region)
            if known is None or known.expires_at - self._clock.now() < _MARGIN:
                known = self._passwords[region] = await self._ask(region)
        return RegistryLogin(host, known.username, known.password)

    async def _ask(self, region: str) -> _Password:
        channel = await self._connection.channel("ecr", region=region)
        answer = await paced(
            channel, self._limiter, Lane.REGISTRY, "get_authorization_token", attempts=_ATTEMPTS
        )
        return _password(answer)


def _password(answer: dict[str, Json]) -> _Password:
    try:
        [data] = answer["authorizationData"]
        text = base64.b64decode(data["authorizationToken"], validate=True).decode()
        expires_at: datetime = data["expiresAt"]
    except (KeyError, ValueError, binascii.Error):
        # What cannot be read may be half a token: it is not repeated.
        raise Unavailable("ECR answered GetAuthorizationToken with something that is no login") from None
    username, _, password = text.partition(":")
    return _Password(username, password, expires_at)
