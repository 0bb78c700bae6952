import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.streaming.spdy.dictionary import DICTIONARY
from app.streaming.spdy.frames import SpdyError, SpdyLimits
from app.streaming.spdy.headers import HeaderReader, Headers, HeaderWriter

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20).map(str.lower)
VALUES = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=40)
BLOCKS = st.lists(
    st.dictionaries(NAMES, VALUES, max_size=6).map(lambda some: tuple(some.items())), max_size=5
)


def compressed(block: bytes) -> bytes:
    writer = zlib.compressobj(zdict=DICTIONARY)
    return writer.compress(block) + writer.flush(zlib.Z_SYNC_FLUSH)


def counted(text: bytes) -> bytes:
    return len(text).to_bytes(4) + text


@given(blocks=BLOCKS)
def test_blocks_are_read_as_they_were_written_one_after_the_other(blocks: list[Headers]) -> None:
    writer, reader = HeaderWriter(), HeaderReader(SpdyLimits())
    assert [reader.read(writer.write(headers)) for headers in blocks] == blocks


def test_several_values_of_a_name_travel_as_one_and_come_out_as_several() -> None:
    headers = (("accept", "a"), ("accept", "b"), ("port", "80"))
    assert HeaderReader(SpdyLimits()).read(HeaderWriter().write(headers)) == headers


def test_names_are_written_in_lower_case() -> None:
    written = HeaderWriter().write([("streamType", "stdin")])
    assert HeaderReader(SpdyLimits()).read(written) == (("streamtype", "stdin"),)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        pytest.param(b"nonsense", "decompressed", id="not compressed"),
        pytest.param(b"", "breaks off", id="nothing"),
        pytest.param(compressed(bytes(200_000)), "larger", id="a bomb"),
        pytest.param(compressed((101).to_bytes(4)), "101 headers", id="too many"),
        pytest.param(compressed((1).to_bytes(4) + b"\0\0"), "breaks off", id="cut"),
        pytest.param(compressed((1).to_bytes(4) + b"\xff\xff\xff\xff"), "breaks off", id="endless name"),
        pytest.param(compressed(bytes(5)), "goes on", id="too long"),
        pytest.param(compressed((1).to_bytes(4) + counted(b"Port") + counted(b"1")), "lower case", id="case"),
        pytest.param(compressed((1).to_bytes(4) + counted(b"") + counted(b"1")), "empty", id="no name"),
        pytest.param(
            compressed((2).to_bytes(4) + 2 * (counted(b"port") + counted(b"1"))), "twice", id="twice"
        ),
        pytest.param(zlib.compress(bytes(4)), "was ended", id="compressed by itself"),
    ],
)
def test_what_is_no_block_is_refused(block: bytes, reason: str) -> None:
    with pytest.raises(SpdyError, match=reason):
        HeaderReader(SpdyLimits()).read(block)


@given(block=st.binary(max_size=200))
def test_noise_raises_nothing_but_the_protocols_error(block: bytes) -> None:
    with pytest.raises(SpdyError):
        HeaderReader(SpdyLimits()).read(block + b"\xff")
    with pytest.raises(SpdyError):
        HeaderReader(SpdyLimits()).read(compressed((1).to_bytes(4) + block + b"\xff"))
