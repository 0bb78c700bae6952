"""The certificate that a server shows, whoever signed it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.ports.failures import Unavailable
from app.tls.authority import Authority, Leaf
from app.tls.shown import shown_certificate
from tests.builders import NOON

STRANGER = Authority.create("a stranger", now=NOON).issue("leaf", now=NOON, ips=("127.0.0.1",), server=True)


@contextlib.asynccontextmanager
async def listening(leaf: Leaf | None, directory: Path) -> AsyncIterator[int]:
    """A server on a port of its own; without a leaf it speaks no TLS."""
    context = None
    if leaf is not None:
        (directory / "leaf.pem").write_bytes(leaf.cert_pem + leaf.key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "leaf.pem")

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 no TLS here\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def test_it_is_shown_though_nobody_trusts_it_and_though_it_ended(tmp_path: Path) -> None:
    async with listening(STRANGER, tmp_path) as port:
        assert await shown_certificate("127.0.0.1", port, within=5) == STRANGER.cert_pem


async def test_a_server_without_tls_shows_none(tmp_path: Path) -> None:
    async with listening(None, tmp_path) as port:
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port}"):
            await shown_certificate("127.0.0.1", port, within=5)


async def test_nobody_there_shows_none(tmp_path: Path) -> None:
    async with listening(STRANGER, tmp_path) as port:
        pass
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port}"):
        await shown_certificate("127.0.0.1", port, within=5)
