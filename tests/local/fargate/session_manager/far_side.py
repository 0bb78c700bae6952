"""What stands around a session in tests: a container, a connection, and a client that knows the protocol."""

import hashlib
import itertools
import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import msgspec

from app.local.fargate.agenda import Agenda
from app.local.fargate.config import Pace
from app.local.fargate.faults.orders import Faults
from app.local.fargate.journal import Journal, SessionChange
from app.local.fargate.running.terminals import Terminal, Watcher
from app.local.fargate.running.workload import Workload
from app.local.fargate.session_manager.means import Means, Purpose
from app.local.fargate.session_manager.session import Session
from tests.fakes import VirtualClock

WORKLOAD = Workload(task="t", container="main", argv=("sleep", "9"), environment={})
SUCCESS = {"ActionType": "SessionType", "ActionStatus": 1, "ActionResult": None, "Error": ""}
RESPONSE = {"ClientVersion": "1.2.0.0", "ProcessedClientActions": [SUCCESS], "Errors": []}


class Got(msgspec.Struct, frozen=True):
    """A message that a client got."""

    kind: str
    sequence: int
    flags: int
    id: str
    payload_type: int
    payload: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.payload)


def packed(
    kind: str, payload: bytes, *, sequence: int = 0, flags: int = 0, payload_type: int = 0, **changes: Any
) -> bytes:
    """A message's bytes, with members of the header as they should not be."""
    header: dict[str, Any] = {
        "length": 116,
        "schema": 1,
        "created": 1_700_000_000_000,
        "id": uuid4().bytes,
        "digest": hashlib.sha256(payload).digest(),
        "size": len(payload),
        "padding": b" ",
        **changes,
    }
    identity = header["id"]
    halves = identity if "halves" in changes else identity[8:] + identity[:8]
    data: bytes = (
        struct.pack(">I", header["length"])
        + kind.encode().ljust(32, header["padding"])
        + struct.pack(">IqQQ", header["schema"], header["created"], sequence, flags)
        + halves
        + header["digest"]
        + struct.pack(">II", payload_type, header["size"])
        + payload
    )
    return data


def unpacked(data: bytes) -> Got:
    """The message in these bytes."""
    _, kind, _, _, sequence, flags = struct.unpack_from(">I32sIqQQ", data)
    payload_type, size = struct.unpack_from(">II", data, 112)
    payload = data[120:]
    assert hashlib.sha256(payload).digest() == data[80:112]
    assert size == len(payload)
    identity = UUID(bytes=data[72:80] + data[64:72])
    return Got(kind.decode().rstrip(), sequence, flags, str(identity), payload_type, payload)


def acknowledging(got: Got, **changes: Any) -> bytes:
    """The acknowledgement of a message."""
    body = {
        "AcknowledgedMessageType": got.kind,
        "AcknowledgedMessageId": got.id,
        "AcknowledgedMessageSequenceNumber": got.sequence,
        "IsSequentialMessage": True,
        **changes,
    }
    return packed("acknowledge", msgspec.json.encode(body), flags=3)


def response(**changes: Any) -> bytes:
    """The answer to the handshake."""
    body = msgspec.json.encode({**RESPONSE, **changes})
    return packed("input_stream_data", body, flags=1, payload_type=6)


def typing(text: bytes, sequence: int, **changes: Any) -> bytes:
    """What is typed."""
    return packed("input_stream_data", text, sequence=sequence, **{"payload_type": 1, **changes})


class FakeTerminal:
    """Keeps what is typed; it shows what the test has it show."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.typed: list[bytes] = []
        self.sizes: list[tuple[int, int]] = []
        self.held = False
        self.killed = False
        self.stuck: list[Callable[[], None]] | None = None

    def type(self, data: bytes, taken: Callable[[], None]) -> None:
        self.typed.append(data)
        if self.stuck is None:
            taken()
        else:
            self.stuck.append(taken)

    def resize(self, *, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))

    def hold(self) -> None:
        self.held = True

    def go_on(self) -> None:
        self.held = False

    def kill(self) -> None:
        self.killed = True


class FakeHost:
    """Gives a terminal, unless the container is said to be over."""

    def __init__(self) -> None:
        self.terminals: list[FakeTerminal] = []
        self.argv: tuple[str, ...] = ()
        self.over = False

    def terminal(self, workload: Workload, argv: tuple[str, ...], watcher: Watcher) -> Terminal | None:
        assert workload is WORKLOAD
        if self.over:
            return None
        self.argv = argv
        self.terminals.append(FakeTerminal(watcher))
        return self.terminals[-1]


class FakeLine:
    """A connection that keeps what is sent over it."""

    def __init__(self) -> None:
        self.sent: list[Got] = []
        self.closed: tuple[int, str] | None = None
        self.broken = False

    def send(self, data: bytes) -> None:
        self.sent.append(unpacked(data))

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def hang_up(self) -> None:
        self.broken = True


class FarSide:
    """A session of its own, with everything around it."""

    def __init__(self) -> None:
        numbers = itertools.count(1)
        self.clock = VirtualClock()
        self.agenda = Agenda(self.clock)
        self.faults = Faults()
        self.journal = Journal(self.clock)
        self.host = FakeHost()
        self.line = FakeLine()
        self.over: list[str] = []
        means = Means(
            clock=self.clock,
            agenda=self.agenda,
            pace=Pace(handshake=0.5, idle=1200),
            ids=lambda: f"{next(numbers):032x}",
            host=self.host,
            faults=self.faults,
            journal=self.journal,
        )
        purpose = Purpose(session="s", task="arn", workload=WORKLOAD, argv=("sh", "-c", "date"))
        self.session = Session(purpose, means, on_end=self.over.append)

    @property
    def terminal(self) -> FakeTerminal:
        return self.host.terminals[-1]

    def attach(self) -> FakeLine:
        """A new connection."""
        self.line = FakeLine()
        self.session.attach(self.line)
        return self.line

    async def pass_time(self, seconds: float) -> None:
        """Let time pass in small steps, with what is due in them."""
        for _ in range(round(seconds / 0.1)):
            await self.clock.advance(0.1)
            self.agenda.run_due()

    async def jump(self, seconds: float) -> None:
        """Let time pass at once."""
        await self.clock.advance(seconds)
        self.agenda.run_due()

    async def started(self) -> FakeTerminal:
        """Go through the handshake."""
        line = self.attach()
        self.session.received(acknowledging(line.sent[0]))
        self.session.received(response())
        await self.jump(0.5)
        self.session.received(acknowledging(line.sent[-1]))
        return self.terminal

    def output(self) -> list[bytes]:
        """What the client got of the terminal, as it came."""
        return [each.payload for each in self.line.sent if each.payload_type == 1]

    def acknowledged(self) -> list[int]:
        """The numbers that the client was told to have arrived, as it was told."""
        return [
            each.json["AcknowledgedMessageSequenceNumber"]
            for each in self.line.sent
            if each.kind == "acknowledge"
        ]

    def states(self) -> list[tuple[str, str]]:
        """What the journal says of the session."""
        return [
            (each.status, each.reason) for each in self.journal.since() if isinstance(each, SessionChange)
        ]
