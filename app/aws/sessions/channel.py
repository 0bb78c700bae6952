"""One session's side of the data channel: bytes in, events and bytes out; no I/O. Pure.

The protocol is that of https://github.com/aws/session-manager-plugin. Every input and output message has a
sequence number and is acknowledged; what is not is sent again. It outlives the connection that carries it: on
the next one it goes on where it was.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from app.aws.sessions import frames, handshake
from app.aws.sessions.encryption import Cipher, DataKey, SealError
from app.aws.sessions.frames import Frame, FrameError, Kind, Payload
from app.aws.sessions.inbox import Inbox
from app.aws.sessions.outbox import Outbox

WINDOW: Final = 64
"""Input messages on their way at once: what is typed faster than the container reads waits here."""

_GOODBYE: Final = "Exiting session with sessionId"


class Now(msgspec.Struct, frozen=True):
    """A moment: steady seconds, of which only differences mean anything, and milliseconds since 1970."""

    steady: float
    millis: int


class Ready(msgspec.Struct, frozen=True):
    """The handshake is done: the terminal takes input."""


class Shown(msgspec.Struct, frozen=True):
    """The terminal shows this."""

    data: bytes


class KeyWanted(msgspec.Struct, frozen=True):
    """The session is to be encrypted: answer with `Channel.encrypt` or `Channel.go_without`."""

    key_id: str


class Closed(msgspec.Struct, frozen=True):
    """The session is over; `words` are the agent's, where it says more than that."""

    words: str


class Failed(msgspec.Struct, frozen=True):
    """The session cannot go on."""

    why: str


Event = Ready | Shown | KeyWanted | Closed | Failed


class Randomness(msgspec.Struct, frozen=True):
    """Where ids (16 bytes) and nonces come from."""

    new_id: Callable[[], bytes]
    random_bytes: Callable[[int], bytes]


class _Acknowledgement(msgspec.Struct, frozen=True, rename="pascal"):
    acknowledged_message_type: str = ""
    acknowledged_message_id: str = ""
    acknowledged_message_sequence_number: int = -1
    is_sequential_message: bool = True


class _Goodbye(msgspec.Struct, frozen=True, rename="pascal"):
    output: str = ""


class _Challenge(msgspec.Struct, frozen=True, rename="pascal"):
    challenge: str


def opening(token: str, *, client_id: str, request_id: str) -> str:
    """The first message on every connection, as text."""
    return msgspec.json.encode(
        {
            "MessageSchemaVersion": "1.0",
            "RequestId": request_id,
            "TokenValue": token,
            "ClientId": client_id,
            "ClientVersion": handshake.CLIENT_VERSION,
        }
    ).decode()


class Channel:
    """What was said and heard. Whoever calls it sends `outgoing()` after each call."""

    def __init__(self, *, randomness: Randomness) -> None:
        self._random = randomness
        self._inbox = Inbox()
        self._outbox = Outbox()
        self._outgoing: list[bytes] = []
        self._request: handshake.Request | None = None
        self._cipher: Cipher | None = None
        self._is_ready = False
        self._is_paused = False

    @property
    def takes_input(self) -> bool:
        """Whether something may be typed now."""
        return self._is_ready and not self._is_paused and self._outbox.waiting < WINDOW

    @property
    def is_settled(self) -> bool:
        """Whether everything that was sent is acknowledged."""
        return not self._outbox.waiting

    @property
    def is_given_up(self) -> bool:
        """Whether the far side has not acknowledged a message for so long that it never will."""
        return self._outbox.is_given_up

    def reopened(self, *, now: Now) -> None:
        """Another connection goes on: what went out over the old one may be lost, and goes again."""
        self._is_paused = False
        self._outgoing = self._outbox.resent(now=now.steady)

    def outgoing(self) -> list[bytes]:
        """Messages to be sent now, each once."""
        messages, self._outgoing = self._outgoing, []
        return messages

    def receive(self, message: bytes, *, now: Now) -> list[Event]:
        """What one binary message means. What is none is dropped: if it mattered, it comes again."""
        try:
            frame = frames.decoded(message)
        except FrameError:
            return []
        match frame.kind:
            case Kind.OUTPUT:
                return self._take(frame, now=now)
            case Kind.ACKNOWLEDGE:
                self._outbox.acknowledged(_sequence_of(frame), now=now.steady)
            case Kind.PAUSE:
                self._is_paused = True
            case Kind.START:
                self._is_paused = False
            case Kind.CLOSED:
                return [Closed(_words_of(frame))]
            case _:
                return []  # A newer kind, which a client of our version is not expected to know.
        return []

    def type_in(self, data: bytes, *, now: Now) -> None:
        """Type at most `frames.MOST_TYPED` bytes, while `takes_input`."""
        sealed = self._cipher.sealed(data) if self._cipher is not None else data
        self._send(Payload.OUTPUT, sealed, now=now)

    def resize(self, *, columns: int, rows: int, now: Now) -> None:
        """Tell the terminal its size, once the session is ready."""
        self._send(Payload.SIZE, msgspec.json.encode({"cols": columns, "rows": rows}), now=now)

    def terminate(self, *, now: Now) -> None:
        """Ask the agent to end the session, and what runs in it."""
        self._send(Payload.FLAG, frames.TERMINATE, now=now)

    def encrypt(self, key: DataKey, *, now: Now) -> list[Event]:
        """The key that was wanted."""
        self._cipher = Cipher(key.plain, random_bytes=self._random.random_bytes)
        return self._answer(sealed_key=key.sealed, keyless="", now=now)

    def go_without(self, why: str, *, now: Now) -> list[Event]:
        """There is no key: the agent is told, and ends the session."""
        return self._answer(sealed_key=None, keyless=why, now=now)

    def due(self) -> float | None:
        """When `repeat` has something to do, in steady seconds; None while everything is acknowledged."""
        return self._outbox.due()

    def repeat(self, *, now: Now) -> None:
        """Send the oldest message again, if it is due."""
        message = self._outbox.repeated(now=now.steady)
        if message is not None:
            self._outgoing.append(message)

    def _take(self, frame: Frame, *, now: Now) -> list[Event]:
        is_taken, turn = self._inbox.take(frame)
        if is_taken:
            self._acknowledge(frame, now=now)
        return [event for each in turn for event in self._heard(each, now=now)]

    def _heard(self, frame: Frame, *, now: Now) -> Iterable[Event]:
        match frame.payload_type:
            case Payload.OUTPUT | Payload.STDERR:
                return self._shown(frame.payload)
            case Payload.HANDSHAKE_REQUEST:
                return self._begin(frame.payload, now=now)
            case Payload.CHALLENGE_REQUEST:
                return self._challenged(frame.payload, now=now)
            case Payload.HANDSHAKE_COMPLETE:
                self._is_ready = True
                return [Ready()]
            case _:
                return []  # Sizes, parameters and exit codes, which terminals are not sent.

    def _shown(self, payload: bytes) -> list[Event]:
        try:
            return [Shown(self._cipher.opened(payload) if self._cipher is not None else payload)]
        except SealError as error:
            return [Failed(str(error))]

    def _begin(self, payload: bytes, *, now: Now) -> list[Event]:
        try:
            self._request = handshake.request_of(payload)
        except handshake.HandshakeError as error:
            return [Failed(str(error))]
        key_id = self._request.key_id
        return self._answer(sealed_key=None, keyless="", now=now) if key_id is None else [KeyWanted(key_id)]

    def _answer(self, *, sealed_key: bytes | None, keyless: str, now: Now) -> list[Event]:
        if self._request is None:
            raise AssertionError("a handshake is answered before the agent has begun it")
        response, why = handshake.answered(self._request, sealed_key=sealed_key, keyless=keyless)
        self._send(Payload.HANDSHAKE_RESPONSE, response, now=now)
        return [Failed(why)] if why else []

    def _challenged(self, payload: bytes, *, now: Now) -> list[Event]:
        """The agent sends a text sealed with one half of the key, and wants it back sealed with the other."""
        if self._cipher is None:
            return [Failed("the agent asks for proof of a key that it never asked for")]
        try:
            asked = msgspec.json.decode(payload, type=_Challenge)
            text = self._cipher.opened(b64decode(asked.challenge))
        except (msgspec.MsgspecError, ValueError, SealError) as error:
            return [Failed(f"the agent's challenge is not understood: {error}")]
        proof = _Challenge(b64encode(self._cipher.sealed(text)).decode())
        self._send(Payload.CHALLENGE_RESPONSE, msgspec.json.encode(proof), now=now)
        return []

    def _send(self, payload_type: Payload, payload: bytes, *, now: Now) -> None:
        first = frames.SYN if self._outbox.next == 0 else 0
        message = frames.encoded(
            Frame(
                kind=Kind.INPUT,
                id=self._random.new_id(),
                created=now.millis,
                sequence=self._outbox.next,
                flags=first,
                payload_type=payload_type,
                payload=payload,
            )
        )
        self._outbox.sent(message, now=now.steady)
        self._outgoing.append(message)

    def _acknowledge(self, frame: Frame, *, now: Now) -> None:
        content = _Acknowledgement(frame.kind, frame.id_text, frame.sequence)
        self._outgoing.append(
            frames.encoded(
                Frame(
                    kind=Kind.ACKNOWLEDGE,
                    id=self._random.new_id(),
                    created=now.millis,
                    flags=frames.SYN | frames.FIN,
                    payload=msgspec.json.encode(content),
                )
            )
        )


def _sequence_of(frame: Frame) -> int:
    """The sequence number that is acknowledged; one that was never sent where it does not say."""
    try:
        content = msgspec.json.decode(frame.payload, type=_Acknowledgement)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _Acknowledgement().acknowledged_message_sequence_number
    return content.acknowledged_message_sequence_number


def _words_of(frame: Frame) -> str:
    try:
        said = msgspec.json.decode(frame.payload, type=_Goodbye).output.strip()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return "" if said.startswith(_GOODBYE) else said
