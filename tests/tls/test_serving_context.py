"""TLS whose certificate and trust change while it serves, by real handshakes."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from app.tls.authority import Authority, Leaf
from app.tls.serving_context import ServingContext, pair_of
from app.wiring.clock import SystemClock

NOT_LET_IN = (ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)


def leaf(authority: trustme.CA, name: str) -> Leaf:
    issued = authority.issue_cert("127.0.0.1", common_name=name)
    return Leaf(cert_pem=issued.cert_chain_pems[0].bytes(), key_pem=issued.private_key_pem.bytes())


def pem(authority: trustme.CA) -> str:
    return authority.cert_pem.bytes().decode()


class Server:
    """Answers each line with the common name of the client's certificate."""

    def __init__(self, authority: trustme.CA) -> None:
        self.authority = authority
        self.context = ServingContext()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=self.context.listening)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def open(self, client: trustme.LeafCert | None = None) -> "Client":
        assert self._server is not None
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        if client is not None:
            client.configure_cert(context)
        port = self._server.sockets[0].getsockname()[1]
        return Client(*await asyncio.open_connection("127.0.0.1", port, ssl=context))

    async def name_of(self, client: trustme.LeafCert | None = None) -> str:
        opened = await self.open(client)
        try:
            return await opened.ask()
        finally:
            opened.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peercert") or {}
        names = [value for part in peer.get("subject", ()) for key, value in part if key == "commonName"]
        while await reader.readline():
            writer.write(f"{names}\n".encode())
        writer.close()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def server_name(self) -> str:
        subject = self._writer.get_extra_info("peercert")["subject"]
        return next(str(value) for part in subject for key, value in part if key == "commonName")

    async def ask(self) -> str:
        self._writer.write(b"who am I?\n")
        async with asyncio.timeout(30):
            return (await self._reader.readuntil(b"\n")).decode().strip()

    def close(self) -> None:
        self._writer.transport.abort()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    started = Server(trustme.CA())
    started.context.present(leaf(started.authority, "first"))
    await started.start()
    yield started
    await started.stop()


async def test_a_client_need_not_show_a_certificate(server: Server) -> None:
    assert await server.name_of() == "[]"


async def test_a_client_of_a_trusted_authority_is_known_by_name(server: Server) -> None:
    ours = trustme.CA()
    server.context.trust(pem(ours))
    assert await server.name_of(ours.issue_cert(common_name="alice")) == "['alice']"


async def test_a_client_of_another_authority_is_not_let_in(server: Server) -> None:
    server.context.trust(pem(trustme.CA()))
    with pytest.raises(NOT_LET_IN):
        await server.name_of(trustme.CA().issue_cert(common_name="alice"))


async def test_an_authority_need_not_be_a_root(server: Server) -> None:
    root = trustme.CA()
    intermediate, sibling = root.create_child_ca(), root.create_child_ca()
    server.context.trust(pem(intermediate))
    assert await server.name_of(intermediate.issue_cert(common_name="alice")) == "['alice']"
    with pytest.raises(NOT_LET_IN):
        await server.name_of(sibling.issue_cert(common_name="bob"))


async def test_where_nobody_is_trusted_no_certificate_is_let_in(server: Server) -> None:
    with pytest.raises(NOT_LET_IN):
        await server.name_of(trustme.CA().issue_cert(common_name="alice"))


async def test_both_the_old_and_the_new_authority_are_let_in_while_both_are_named(server: Server) -> None:
    old, new = trustme.CA(), trustme.CA()
    server.context.trust(pem(old) + "# d'anciens clients, \u00e0 retirer\n" + pem(new))
    assert await server.name_of(old.issue_cert(common_name="alice")) == "['alice']"
    assert await server.name_of(new.issue_cert(common_name="bob")) == "['bob']"


async def test_an_authority_that_was_taken_away_is_trusted_no_longer(server: Server) -> None:
    old, new = trustme.CA(), trustme.CA()
    client = old.issue_cert(common_name="alice")
    server.context.trust(pem(old))
    assert await server.name_of(client) == "['alice']"
    server.context.trust(pem(new))
    with pytest.raises(NOT_LET_IN):
        await server.name_of(client)


async def test_a_new_certificate_is_for_new_connections_and_open_ones_go_on(server: Server) -> None:
    before = await server.open()
    server.context.present(leaf(server.authority, "second"))
    after = await server.open()
    assert (before.server_name, after.server_name) == ("first", "second")
    assert await before.ask() == "[]"
    before.close()
    after.close()


async def test_a_new_certificate_leaves_the_trusted_authorities(server: Server) -> None:
    ours = trustme.CA()
    server.context.trust(pem(ours))
    server.context.present(leaf(server.authority, "second"))
    assert await server.name_of(ours.issue_cert(common_name="alice")) == "['alice']"


async def test_what_cannot_be_used_leaves_what_was_there(server: Server) -> None:
    ours = trustme.CA()
    server.context.trust(pem(ours))
    with pytest.raises(ssl.SSLError):
        server.context.trust("no PEM")
    mixed = Leaf(cert_pem=leaf(server.authority, "x").cert_pem, key_pem=leaf(server.authority, "y").key_pem)
    with pytest.raises(ssl.SSLError):
        server.context.present(mixed)
    assert await server.name_of(ours.issue_cert(common_name="alice")) == "['alice']"


async def test_a_certificate_for_servers_alone_identifies_no_client(server: Server) -> None:
    now = SystemClock().now()
    ours = Authority.create("ours", now=now)
    issued = ours.issue("alice", now=now, server=True)
    server.context.trust(ours.cert_pem.decode())
    with pytest.raises(NOT_LET_IN):
        await server.name_of(trustme.LeafCert(issued.key_pem, issued.cert_pem, []))


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it() -> None:
    plain = leaf(trustme.CA(), "node")
    key = serialization.load_pem_private_key(plain.key_pem, password=None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    with pytest.raises(ssl.SSLError, match=r"^the key has a passphrase; store it without one$"):
        ServingContext().present(Leaf(cert_pem=plain.cert_pem, key_pem=locked))


def test_what_could_be_waited_on_is_no_certificate(tmp_path: Path) -> None:
    pipe = tmp_path / "tls.crt"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no regular file"):
        pair_of(pipe, tmp_path / "tls.key")
