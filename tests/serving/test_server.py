"""Serving: requests under way are finished, and a new certificate is taken up without a restart."""

import asyncio
import errno
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from app.serving.server import Listen, serve
from app.tls.authority import Authority
from app.tls.reload import RELOAD_EVERY
from tests.builders import NOON
from tests.fakes import VirtualClock


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def write_leaf(authority: Authority, directory: Path, name: str, *, days: float = 3650) -> Listen:
    leaf = authority.issue(name, now=NOON, ips=("127.0.0.1",), server=True, days=days)
    (directory / "tls.crt").write_bytes(leaf.cert_pem)
    (directory / "tls.key").write_bytes(leaf.key_pem)
    return Listen(host="127.0.0.1", port=0, cert=directory / "tls.crt", key=directory / "tls.key")


async def common_name(port: int, authority: Authority) -> str:
    context = ssl.create_default_context(cadata=authority.cert_pem.decode())
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    subject: Any = writer.get_extra_info("peercert")["subject"]
    writer.close()
    await writer.wait_closed()
    return str(subject[0][0][1])


async def test_a_new_certificate_is_served_without_a_restart(tmp_path: Path) -> None:
    authority = Authority.create("test", now=NOON, days=3650)
    clock = VirtualClock()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    listen = write_leaf(authority, tmp_path, "before")
    server = asyncio.create_task(serve(hello, listen, clock=clock, started=port.set_result))
    assert await common_name(await port, authority) == "before"
    write_leaf(authority, tmp_path, "after")
    await clock.advance(RELOAD_EVERY)
    assert await common_name(await port, authority) == "after"
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)


async def test_a_broken_certificate_file_leaves_the_old_one_in_service(tmp_path: Path) -> None:
    authority = Authority.create("test", now=NOON, days=3650)
    clock = VirtualClock()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    listen = write_leaf(authority, tmp_path, "before")
    server = asyncio.create_task(serve(hello, listen, clock=clock, started=port.set_result))
    await port
    (tmp_path / "tls.crt").write_text("half a file")
    await clock.advance(RELOAD_EVERY)
    assert await common_name(await port, authority) == "before"
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)


async def test_a_certificate_that_has_ended_leaves_the_one_in_service_that_has_not(tmp_path: Path) -> None:
    authority = Authority.create("test", now=NOON, days=3650)
    clock = VirtualClock()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    listen = write_leaf(authority, tmp_path, "before")
    server = asyncio.create_task(serve(hello, listen, clock=clock, started=port.set_result))
    await port
    write_leaf(authority, tmp_path, "ended", days=0)
    await clock.advance(RELOAD_EVERY)
    assert await common_name(await port, authority) == "before"
    write_leaf(authority, tmp_path, "after")
    await clock.advance(RELOAD_EVERY)
    assert await common_name(await port, authority) == "after"
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)


async def test_a_certificate_whose_key_has_not_come_yet_leaves_the_old_pair_in_service(
    tmp_path: Path,
) -> None:
    authority = Authority.create("test", now=NOON, days=3650)
    clock = VirtualClock()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    listen = write_leaf(authority, tmp_path, "before")
    old_key = (tmp_path / "tls.key").read_bytes()
    server = asyncio.create_task(serve(hello, listen, clock=clock, started=port.set_result))
    await port
    write_leaf(authority, tmp_path, "after")
    new_key = (tmp_path / "tls.key").read_bytes()
    (tmp_path / "tls.key").write_bytes(old_key)
    await clock.advance(RELOAD_EVERY)
    assert await common_name(await port, authority) == "before"
    (tmp_path / "tls.key").write_bytes(new_key)
    await clock.advance(RELOAD_EVERY)
    assert await common_name(await port, authority) == "after"
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)


async def test_cancelling_stops_listening(tmp_path: Path) -> None:
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    listen = Listen(host="127.0.0.1", port=0)
    server = asyncio.create_task(serve(hello, listen, clock=VirtualClock(), started=port.set_result))
    number = await port
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)
    refused = await asyncio.gather(asyncio.open_connection("127.0.0.1", number), return_exceptions=True)
    assert isinstance(refused[0], ConnectionRefusedError)


async def test_a_taken_port_is_told_with_its_address_and_the_mend() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = f"127.0.0.1:{port}: Address already in use; choose another"
        with pytest.raises(OSError, match=told) as caught:
            await serve(hello, Listen(host="127.0.0.1", port=port), clock=VirtualClock())
    assert caught.value.errno == errno.EADDRINUSE
