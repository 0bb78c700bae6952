"""Keeping values for tasks to read at their start. All of it raises `app.ports.failures` only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import msgspec


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that the vault has: its name, where it is, and since when."""

    name: str
    arn: str
    created_at: datetime


class Vault(Protocol):
    """AWS Secrets Manager, as far as it is ours: the entries under one prefix."""

    async def keep(self, name: str, content: Mapping[str, str]) -> str:
        """Store the content as one JSON object, unless the name is there already; its ARN.

        A name stands for one content for ever: it is made of a uid and a resourceVersion.

        Raises:
            Refused: the content exceeds 65,536 bytes, or permission is missing.
        """
        ...

    async def read(self, arn: str) -> dict[str, str]:
        """The content of an entry. Raises NotFound."""
        ...

    async def kept(self) -> tuple[Kept, ...]:
        """Every entry of ours, every page of the listing or a failure."""
        ...

    async def forget(self, arn: str) -> None:
        """Delete for good, without a recovery window; gone already is success."""
        ...
