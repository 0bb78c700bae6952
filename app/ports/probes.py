"""Asking a container how it is, over the network. Nothing here raises: no answer is an answer."""

from collections.abc import Mapping
from typing import Protocol

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What a probe came to; `output` is kubelet's words for a failure, cut to a line or two."""

    ok: bool
    output: str = ""


class Probes(Protocol):
    """The three probes that go over the network; `within` is in seconds, for all of it."""

    async def http(self, url: str, *, headers: Mapping[str, str], within: float) -> Answer:
        """GET; a status from 200 to 399 is a success, certificates are not checked."""
        ...

    async def tcp(self, host: str, port: int, *, within: float) -> Answer:
        """A connection that stands is a success."""
        ...

    async def grpc(self, host: str, port: int, *, service: str, within: float) -> Answer:
        """grpc.health.v1.Health/Check without TLS; SERVING is a success."""
        ...
