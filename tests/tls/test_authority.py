"""Certificates that TLS clients accept, and that expire when they say."""

import asyncio
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from app.tls.authority import Authority, Leaf, expires
from tests.builders import NOON


def server_context(leaf: Leaf, directory: Path) -> ssl.SSLContext:
    (directory / "leaf.pem").write_bytes(leaf.cert_pem + leaf.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "leaf.pem")
    return context


async def handshake(server: ssl.SSLContext, client: ssl.SSLContext, *, name: str) -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listener = await asyncio.start_server(close, "127.0.0.1", 0, ssl=server)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        writer.close()


async def test_a_client_that_trusts_the_authority_accepts_a_leaf_for_its_name(tmp_path: Path) -> None:
    authority = Authority.create("test", now=NOON, days=3650)
    leaf = authority.issue("web", now=NOON, dns=("webhook.ns.svc",), server=True, days=3650)
    client = ssl.create_default_context(cadata=authority.cert_pem.decode())
    await handshake(server_context(leaf, tmp_path), client, name="webhook.ns.svc")


async def test_a_leaf_for_another_name_is_not_accepted(tmp_path: Path) -> None:
    authority = Authority.create("test", now=NOON, days=3650)
    leaf = authority.issue("web", now=NOON, dns=("other.ns.svc",), server=True, days=3650)
    client = ssl.create_default_context(cadata=authority.cert_pem.decode())
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        await handshake(server_context(leaf, tmp_path), client, name="webhook.ns.svc")


async def test_a_leaf_of_another_authority_is_not_accepted(tmp_path: Path) -> None:
    stranger = Authority.create("stranger", now=NOON, days=3650)
    leaf = stranger.issue("web", now=NOON, dns=("webhook.ns.svc",), server=True, days=3650)
    trusted = Authority.create("test", now=NOON, days=3650)
    client = ssl.create_default_context(cadata=trusted.cert_pem.decode())
    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(server_context(leaf, tmp_path), client, name="webhook.ns.svc")


def test_a_leaf_expires_when_it_was_told_to() -> None:
    leaf = Authority.create("test", now=NOON).issue("web", now=NOON, server=True, days=30)
    assert expires(leaf.cert_pem) == NOON + timedelta(days=30)
