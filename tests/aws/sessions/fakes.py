"""The far side of a data channel, written from the format's description and nothing of `app.aws`."""

import asyncio
import hashlib
import itertools
import json
import struct
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from app.aws.sessions.encryption import DataKey
from app.aws.sessions.management import Opened
from app.aws.sessions.websocket import LostError
from app.ports.failures import PortFailure

OPENED = Opened(session="ecs-execute-command-1", url="wss://ssmmessages.example/1", token="token-1")


def an_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def a_message(
    kind: str,
    *,
    sequence: int = 0,
    flags: int = 0,
    payload_type: int = 0,
    body: bytes = b"",
    number: int = 7,
) -> bytes:
    """A message as the agent or the service writes it."""
    name = an_id(number)
    return (
        struct.pack(">I", 116)
        + kind.encode().ljust(32)
        + struct.pack(">IQqQ", 1, 1_700_000_000_000, sequence, flags)
        + name[8:]
        + name[:8]
        + hashlib.sha256(body).digest()
        + struct.pack(">II", payload_type, len(body))
        + body
    )


class Said(msgspec.Struct, frozen=True):
    """A message as the far side reads it."""

    kind: str
    sequence: int
    flags: int
    payload_type: int
    body: bytes
    id: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def read(message: bytes) -> Said:
    _, sequence, flags = struct.unpack(">QqQ", message[40:64])
    payload_type, length = struct.unpack(">II", message[112:120])
    body = message[120:]
    assert len(body) == length
    assert hashlib.sha256(body).digest() == message[80:112]
    name = str(UUID(bytes=message[72:80] + message[64:72]))
    return Said(message[4:36].decode().strip(), sequence, flags, payload_type, body, name)


def output(data: bytes, *, sequence: int, payload_type: int = 1) -> bytes:
    return a_message("output_stream_data", sequence=sequence, payload_type=payload_type, body=data)


def handshake(*, sequence: int = 0, kind: str = "InteractiveCommands", key: str = "") -> bytes:
    actions: list[dict[str, Any]] = [{"ActionType": "SessionType", "ActionParameters": {"SessionType": kind}}]
    if key:
        actions.insert(0, {"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": key}})
    body = {"AgentVersion": "3.1.0", "RequestedClientActions": actions}
    return output(json.dumps(body).encode(), sequence=sequence, payload_type=5)


def handshake_complete(*, sequence: int = 1) -> bytes:
    return output(b'{"HandshakeTimeToComplete":1,"CustomerMessage":""}', sequence=sequence, payload_type=7)


def acknowledgement(sequence: int) -> bytes:
    body = {
        "AcknowledgedMessageType": "input_stream_data",
        "AcknowledgedMessageId": "any",
        "AcknowledgedMessageSequenceNumber": sequence,
        "IsSequentialMessage": True,
    }
    return a_message("acknowledge", flags=3, body=json.dumps(body).encode())


def closed(words: str = "") -> bytes:
    body = {"MessageType": "channel_closed", "SessionId": "s", "Output": words}
    return a_message("channel_closed", body=json.dumps(body).encode())


class FakeSocket:
    """A connection whose far end the test holds (app.aws.sessions.websocket.Socket)."""

    def __init__(self, hear: Callable[["FakeSocket", str | bytes], None]) -> None:
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._hear = hear
        self.pings = 0
        self.is_deaf = False
        self.is_closed = False

    async def receive(self) -> str | bytes:
        message = await self._incoming.get()
        if message is None:
            raise LostError("cut")
        return message

    async def send(self, message: str | bytes) -> None:
        if self.is_closed:
            raise LostError("closed")
        self._hear(self, message)

    async def ping(self) -> None:
        self.pings += 1
        if self.is_deaf:
            await asyncio.Event().wait()

    async def close(self) -> None:
        self.is_closed = True

    def say(self, *messages: bytes) -> None:
        """The far side sends."""
        for message in messages:
            self._incoming.put_nowait(message)

    def cut(self) -> None:
        """The connection breaks."""
        self._incoming.put_nowait(None)


class FakeAgent:
    """The agent: greets on the first connection, acknowledges, and keeps what was typed in its order."""

    def __init__(self, *, greeting: Sequence[bytes] = (handshake(), handshake_complete())) -> None:
        self.greeting = list(greeting)
        self.sockets: list[FakeSocket] = []
        self.openings: list[dict[str, Any]] = []
        self.said: list[Said] = []
        self.acknowledges = True
        self.dials: list[str] = []
        self.refusals: list[Exception] = []

    @property
    def socket(self) -> FakeSocket:
        """The newest connection."""
        return self.sockets[-1]

    async def dial(self, url: str) -> FakeSocket:
        self.dials.append(url)
        if self.refusals:
            raise self.refusals.pop(0)
        self.sockets.append(FakeSocket(self._hear))
        return self.socket

    def inputs(self) -> dict[int, Said]:
        """What was sent, by sequence number, the first time."""
        found: dict[int, Said] = {}
        for each in self.said:
            if each.kind == "input_stream_data":
                found.setdefault(each.sequence, each)
        return found

    def typed(self) -> bytes:
        """All input, in order."""
        return b"".join(each.body for _, each in sorted(self.inputs().items()) if each.payload_type == 1)

    def _hear(self, socket: FakeSocket, message: str | bytes) -> None:
        if isinstance(message, str):
            self.openings.append(json.loads(message))
            socket.say(*self.greeting)
            self.greeting = []
            return
        said = read(message)
        self.said.append(said)
        if said.kind == "input_stream_data" and self.acknowledges:
            socket.say(acknowledgement(said.sequence))


class FakeManagement:
    """Session Manager (app.aws.sessions.management.Management)."""

    def __init__(self) -> None:
        self.resumptions: list[Opened | PortFailure] = []
        self.resumed = 0
        self.terminated = 0
        self.key: DataKey | PortFailure = DataKey(bytes(64), b"sealed")
        self.termination: PortFailure | None = None

    async def resume(self) -> Opened:
        self.resumed += 1
        answer = self.resumptions.pop(0) if len(self.resumptions) > 1 else self.resumptions[0]
        if isinstance(answer, PortFailure):
            raise answer
        return answer

    async def terminate(self) -> None:
        self.terminated += 1
        if self.termination is not None:
            raise self.termination

    async def data_key(self, key_id: str) -> DataKey:
        if isinstance(self.key, PortFailure):
            raise self.key
        return self.key


def counting_ids() -> Callable[[], bytes]:
    numbers = itertools.count(1)
    return lambda: an_id(next(numbers))
