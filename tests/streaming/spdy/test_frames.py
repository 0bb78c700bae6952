import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.streaming.spdy.frames import (
    ControlFrame,
    ControlType,
    DataPiece,
    FrameReader,
    SpdyError,
    SpdyLimits,
    control_frame,
    data_frame,
)
from tests.streaming.spdy.bytes import in_pieces

FRAMES = st.lists(
    st.one_of(
        st.builds(
            ControlFrame,
            kind=st.sampled_from(ControlType),
            flags=st.integers(0, 255),
            payload=st.binary(max_size=40),
        ),
        st.builds(
            DataPiece, stream=st.integers(1, 2**31 - 1), data=st.binary(max_size=40), fin=st.booleans()
        ),
    ),
    max_size=8,
)


def written(frame: ControlFrame | DataPiece) -> bytes:
    match frame:
        case ControlFrame():
            return control_frame(ControlType(frame.kind), frame.payload, flags=frame.flags)
        case DataPiece():
            return data_frame(frame.stream, frame.data, fin=frame.fin)


def joined(frames: list[ControlFrame | DataPiece]) -> list[ControlFrame | DataPiece]:
    """With the pieces of a data frame put together."""
    whole: list[ControlFrame | DataPiece] = []
    for frame in frames:
        last = whole[-1] if whole else None
        if isinstance(frame, DataPiece) and isinstance(last, DataPiece) and last.stream == frame.stream:
            whole[-1] = DataPiece(stream=frame.stream, data=last.data + frame.data, fin=frame.fin)
        else:
            whole.append(frame)
    return whole


@given(frames=FRAMES, data=st.data())
def test_frames_come_out_as_they_went_in_whatever_pieces_they_come_in(
    frames: list[ControlFrame | DataPiece], data: st.DataObject
) -> None:
    reader = FrameReader(SpdyLimits())
    pieces = in_pieces(b"".join(map(written, frames)), data)
    read = [frame for piece in pieces for frame in reader.feed(piece)]
    assert joined(read) == joined(frames)


def test_a_data_frame_is_passed_on_before_it_is_whole() -> None:
    reader = FrameReader(SpdyLimits())
    frame = data_frame(5, b"x" * 1_000_000, fin=True)
    first = list(reader.feed(frame[:100_000]))
    assert first == [DataPiece(stream=5, data=b"x" * 99_992, fin=False)]
    assert list(reader.feed(frame[100_000:])) == [DataPiece(stream=5, data=b"x" * 900_008, fin=True)]


def test_a_control_frame_that_is_too_large_is_refused_before_it_is_read() -> None:
    reader = FrameReader(SpdyLimits(control_bytes=1000))
    with pytest.raises(SpdyError, match="1001 bytes"):
        list(reader.feed(control_frame(ControlType.SYN_STREAM, bytes(1001))[:8]))


def test_another_version_of_the_protocol_is_refused() -> None:
    frame = bytearray(control_frame(ControlType.PING, bytes(4)))
    frame[1] = 2
    with pytest.raises(SpdyError, match="version 2"):
        list(FrameReader(SpdyLimits()).feed(bytes(frame)))
