import pytest

from app.aws.sessions.frames import Frame, FrameError, decoded, encoded, pieces
from tests.aws.sessions.fakes import a_message, an_id, output, read

FRAME = Frame(
    kind="input_stream_data",
    id=an_id(0x0102030405060708090A0B0C0D0E0F10),
    created=1_700_000_000_000,
    sequence=5,
    flags=3,
    payload_type=1,
    payload=b"ls\n",
)


def test_what_is_written_is_what_the_format_says() -> None:
    written = encoded(FRAME)
    assert (len(written), written[:4], written[4:36]) == (
        123,
        b"\0\0\0\x74",
        b"input_stream_data".ljust(32),
    )
    said = read(written)
    assert (said.kind, said.sequence, said.flags, said.payload_type, said.body) == (
        "input_stream_data",
        5,
        3,
        1,
        b"ls\n",
    )


def test_an_id_travels_with_its_lower_half_first() -> None:
    assert encoded(FRAME)[64:80] == FRAME.id[8:] + FRAME.id[:8]
    assert read(encoded(FRAME)).id == FRAME.id_text == "01020304-0506-0708-090a-0b0c0d0e0f10"


def test_a_message_is_read_back_as_it_was_written() -> None:
    assert decoded(encoded(FRAME)) == FRAME


def test_a_longer_head_of_a_newer_version_is_skipped() -> None:
    old = output(b"hello", sequence=1)
    longer = b"\0\0\0\x78" + old[4:116] + b"new!" + old[116:]
    assert decoded(longer).payload == b"hello"


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(output(b"x", sequence=0)[:119], id="half a head"),
        pytest.param(output(b"hello", sequence=0)[:-1], id="a payload cut off"),
        pytest.param(output(b"hello", sequence=0) + b"!", id="a payload too long"),
        pytest.param(output(b"hello", sequence=0)[:-1] + b"!", id="a payload changed"),
        pytest.param(b"\0\0\0\x10" + output(b"hello", sequence=0)[4:], id="a head too short"),
        pytest.param(b"\xff\xff\xff\xff" + output(b"hello", sequence=0)[4:], id="a head beyond the end"),
    ],
)
def test_what_is_no_message_is_an_error(message: bytes) -> None:
    with pytest.raises(FrameError):
        decoded(message)


def test_a_digest_counts_for_output_alone() -> None:
    changed = a_message("channel_closed", body=b"{}")[:-1] + b"]"
    assert decoded(changed).payload == b"{]"


@pytest.mark.parametrize(
    ("data", "sizes"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"\n", [1], id="a lone newline"),
        pytest.param(b"x" * 1024, [1024], id="one message"),
        pytest.param(b"x" * 1025, [1024, 1], id="two"),
        pytest.param(b"x" * 1024 + b"\n", [1023, 2], id="no newline alone"),
        pytest.param(b"x" * 2048 + b"\n", [1024, 1023, 2], id="nor after several"),
    ],
)
def test_input_goes_in_small_messages(data: bytes, sizes: list[int]) -> None:
    cut = list(pieces(data))
    assert ([len(each) for each in cut], b"".join(cut)) == (sizes, data)
