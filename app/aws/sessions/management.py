"""Session Manager's own calls, as one session needs them."""

from typing import Protocol

import msgspec

from app.aws.sessions.encryption import DataKey


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A session that waits for its client: its id, its stream's URL, and the token that opens it."""

    session: str
    url: str
    token: str


class Management(Protocol):
    """Calls about one session."""

    async def resume(self) -> Opened:
        """Where to connect again. Raises NotFound where the session is over, or any PortFailure."""
        ...

    async def terminate(self) -> None:
        """End it, and what runs in it. Raises PortFailure."""
        ...

    async def data_key(self, key_id: str) -> DataKey:
        """A key for this session alone. Raises PortFailure."""
        ...
