"""Serving contexts that follow their files, and the authorities that they trust."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from app.ports.failures import Unavailable
from app.tls.authority import Authority, Leaf
from app.tls.keeping import ASK_EVERY, FileAuthorities, Trust, keep_presenting
from app.tls.reload import RELOAD_EVERY
from app.tls.serving_context import ServingContext
from tests.builders import NOON
from tests.fakes import VirtualClock
from tests.tls.fakes import FakeAuthorities


class WatchedContext(ServingContext):
    """Counts what is taken up."""

    def __init__(self) -> None:
        super().__init__()
        self.trusted: list[str] = []
        self.presented: list[Leaf] = []

    def trust(self, authorities: str) -> None:
        super().trust(authorities)
        self.trusted.append(authorities)

    def present(self, pair: Leaf) -> None:
        super().present(pair)
        self.presented.append(pair)


def an_authority(name: str = "ours") -> Authority:
    return Authority.create(name, now=VirtualClock().now())


def pem(authority: Authority) -> str:
    return authority.cert_pem.decode()


class Files:
    """A pair's files, kept by a context under virtual time."""

    def __init__(self, folder: Path) -> None:
        self.cert, self.key = folder / "tls.crt", folder / "tls.key"
        self.context, self.clock, self.authority = WatchedContext(), VirtualClock(), an_authority()

    def write(self, *, made: datetime | None = None) -> Leaf:
        pair = self.authority.issue("node", now=made or self.clock.now(), server=True)
        self.cert.write_bytes(pair.cert_pem)
        self.key.write_bytes(pair.key_pem)
        return pair


@contextlib.asynccontextmanager
async def kept(folder: Path, *, made: datetime | None = None) -> AsyncIterator[Files]:
    """A pair that was made then is in service, and its files are looked at."""
    found = Files(folder)
    found.context.present(found.write(made=made))
    keeping = asyncio.create_task(
        keep_presenting(found.context, cert=found.cert, key=found.key, clock=found.clock)
    )
    yield found
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[Files]:
    async with kept(tmp_path) as found:
        yield found


async def test_a_renewed_pair_is_taken_up(files: Files) -> None:
    renewed = files.write()
    await files.clock.advance(RELOAD_EVERY)
    assert files.context.pair == renewed


async def test_a_pair_that_stays_is_not_loaded_again(files: Files) -> None:
    await files.clock.advance(10 * RELOAD_EVERY)
    assert len(files.context.presented) == 1


async def test_a_half_written_pair_is_told_of_once_and_taken_up_when_it_is_whole(files: Files) -> None:
    key = files.key.read_bytes()
    files.key.write_bytes(key[:40])
    with structlog.testing.capture_logs() as logged:
        await files.clock.advance(3 * RELOAD_EVERY)
    assert len(logged) == 1
    renewed = files.write()
    await files.clock.advance(RELOAD_EVERY)
    assert files.context.pair == renewed


async def test_a_pair_that_has_ended_does_not_take_the_place_of_one_that_has_not(files: Files) -> None:
    before = files.context.pair
    files.write(made=files.clock.now() - timedelta(days=90))
    with structlog.testing.capture_logs() as logged:
        await files.clock.advance(3 * RELOAD_EVERY)
    assert files.context.pair == before
    assert len(logged) == 1
    assert logged[0]["error"].startswith("it ended at 20")


async def test_where_both_have_ended_the_newer_is_served(tmp_path: Path) -> None:
    async with kept(tmp_path, made=NOON - timedelta(days=90)) as files:
        ended = files.write(made=NOON - timedelta(days=60))
        await files.clock.advance(RELOAD_EVERY)
        assert files.context.pair == ended


async def test_files_that_are_gone_leave_the_old_pair_in_service(files: Files) -> None:
    before = files.context.pair
    files.cert.unlink()
    await files.clock.advance(RELOAD_EVERY)
    assert files.context.pair == before


async def test_authorities_are_asked_for_again_and_taken_up_when_they_change() -> None:
    old, new = pem(an_authority("old")), pem(an_authority("new"))
    context, clock, source = WatchedContext(), VirtualClock(), FakeAuthorities(old)
    trust = Trust(context, source, clock=clock)
    await trust.look()
    running = asyncio.create_task(trust.run())
    await clock.advance(3 * ASK_EVERY)
    assert context.trusted == [old]
    source.text = new
    await clock.advance(ASK_EVERY)
    assert context.trusted == [old, new]
    running.cancel()


@pytest.mark.parametrize("text", ["", "no PEM"])
async def test_a_source_that_fails_leaves_the_old_authorities_in_force(text: str) -> None:
    old, new = pem(an_authority("old")), pem(an_authority("new"))
    context, clock, source = WatchedContext(), VirtualClock(), FakeAuthorities(old)
    trust = Trust(context, source, clock=clock)
    await trust.look()
    running = asyncio.create_task(trust.run())
    source.text, source.failure = text, None if text else Unavailable("no answer")
    await clock.advance(2 * ASK_EVERY)
    assert context.trusted == [old]
    source.text, source.failure = new, None
    await clock.advance(ASK_EVERY)
    assert context.trusted == [old, new]
    running.cancel()


async def test_a_source_that_fails_is_told_of_once_until_it_answers_again() -> None:
    clock, source = VirtualClock(), FakeAuthorities(pem(an_authority()))
    running = asyncio.create_task(Trust(ServingContext(), source, clock=clock).run())
    with structlog.testing.capture_logs() as logged:
        for failure in (Unavailable("no answer"), None, Unavailable("no answer")):
            source.failure = failure
            await clock.advance(5 * ASK_EVERY)
    running.cancel()
    assert [each["error"] for each in logged if "error" in each] == ["no answer", "no answer"]


async def test_what_is_no_pem_is_told_at_the_first_look() -> None:
    trust = Trust(ServingContext(), FakeAuthorities("no PEM"), clock=VirtualClock())
    with pytest.raises(ssl.SSLError):
        await trust.look()


async def test_a_file_of_authorities_is_read_and_one_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("PEM")
    assert await FileAuthorities(tmp_path / "ca.crt").pem() == "PEM"
    with pytest.raises(Unavailable, match=r"gone\.crt"):
        await FileAuthorities(tmp_path / "gone.crt").pem()
