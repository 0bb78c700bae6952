from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kubelet.logs.beginning import start
from app.kubelet.logs.options import LogOptions
from app.model.log import LogSource
from tests.builders import NOON
from tests.kubelet.fakes import FakeLogStreams, a_stream

STREAM = "pod/main/1"
SOURCE = LogSource(stream=a_stream(STREAM), finished=False)


def ten_lines(*, page_lines: int) -> FakeLogStreams:
    streams = FakeLogStreams(page_lines=page_lines)
    streams.write(STREAM, *(str(each) for each in range(10)))
    return streams


async def rest_of(streams: FakeLogStreams, token: str | None) -> list[str]:
    """What a reader finds who goes on from the token to the end."""
    texts: list[str] = []
    while True:
        page = await streams.page(a_stream(STREAM), token=token)
        texts += [line.text for line in page.lines]
        if page.forward == token:
            return texts
        token = page.forward


@given(wanted=st.integers(0, 15), page_lines=st.integers(1, 12))
async def test_a_tail_and_what_follows_it_are_the_last_lines_each_once(wanted: int, page_lines: int) -> None:
    streams = ten_lines(page_lines=page_lines)
    position = await start(streams, SOURCE, LogOptions(tail_lines=wanted))
    streams.write(STREAM, "new")
    shown = [line.text for line in position.lines] + await rest_of(streams, position.token)
    assert shown == [*"0123456789"[max(0, 10 - wanted) :], "new"]


@given(seconds=st.integers(-5, 15), page_lines=st.integers(1, 12))
async def test_going_back_to_a_time_misses_no_later_line(seconds: int, page_lines: int) -> None:
    streams = ten_lines(page_lines=page_lines)
    since = NOON + timedelta(seconds=seconds)
    position = await start(streams, SOURCE, LogOptions(since=since))
    shown = [line.text for line in position.lines] + await rest_of(streams, position.token)
    assert shown == [*"0123456789"][10 - len(shown) :]
    assert set("0123456789"[max(0, seconds) :]) <= set(shown)


async def test_a_short_tail_asks_for_no_more_lines_than_wanted() -> None:
    streams = ten_lines(page_lines=10_000)
    position = await start(streams, SOURCE, LogOptions(tail_lines=3))
    assert [line.text for line in position.lines] == ["7", "8", "9"]
    assert position.is_end
    assert len(streams.calls) == 1


@pytest.mark.parametrize("options", [LogOptions(), LogOptions(tail_lines=5), LogOptions(since=NOON)])
async def test_an_empty_stream_begins_at_its_end(options: LogOptions) -> None:
    streams = FakeLogStreams()
    streams.write(STREAM)
    position = await start(streams, SOURCE, options)
    streams.write(STREAM, "first")
    assert position.lines == ()
    assert await rest_of(streams, position.token) == ["first"]
