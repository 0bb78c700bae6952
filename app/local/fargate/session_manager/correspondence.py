"""The messages of one session, and the connections that they take, one after another."""

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from app.local.fargate.session_manager import frames, messages
from app.local.fargate.session_manager.disturbances import Way
from app.local.fargate.session_manager.frames import Frame
from app.local.fargate.session_manager.means import Means
from app.local.fargate.session_manager.outbox import Outbox


class Line(Protocol):
    """An open WebSocket."""

    def send(self, data: bytes) -> None:
        """Send a binary message, in its turn."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close it after what was sent before."""
        ...

    def hang_up(self) -> None:
        """Break it off at once, as if the network had."""
        ...


class Correspondence:
    """Sends messages until they are acknowledged; what is said while nobody is connected waits.

    `hopeless` is called once a message was sent again so often that nobody can be there.
    """

    def __init__(self, means: Means, *, hopeless: Callable[[], None]) -> None:
        self._means = means
        self._hopeless = hopeless
        self._outbox = Outbox()
        self._line: Line | None = None
        self._inward = Way[Frame](means.faults)
        self._outward = Way[bytes](means.faults)
        self._armed = False

    @property
    def is_full(self) -> bool:
        """Whether no more should be said before something arrives."""
        return self._outbox.is_full

    @property
    def is_settled(self) -> bool:
        """Whether everything has arrived."""
        return self._outbox.is_empty

    def attach(self, line: Line) -> None:
        """Go on over this connection, with all that has not arrived; an earlier one is closed."""
        self.close(1000, "another connection has taken over")
        self._line = line
        self._inward, self._outward = Way(self._means.faults), Way(self._means.faults)
        for frame in self._outbox.open():
            self._transmit(frame)
        self._arm()

    def detach(self, line: Line) -> None:
        """This connection is over."""
        if self._line is line:
            self._line = None

    def arriving(self, frame: Frame) -> tuple[Frame, ...]:
        """What of the client's messages comes through now that it has sent this one."""
        if self._inward.breaks(frame.kind):
            self._break()
            return ()
        return self._inward.through(frame, kind=frame.kind)

    def arrived(self, frame: Frame) -> None:
        """The client acknowledges.

        Raises:
            Violation: in the wrong way, or what was never sent.
        """
        found = messages.acknowledgement_of(frame)
        self._outbox.arrived(found.acknowledged_message_sequence_number, found.acknowledged_message_id)

    def say(self, payload_type: int, payload: bytes) -> None:
        """Send the client the next message, again and again until it has arrived."""
        number = self._outbox.next
        flags = 0 if number else frames.SYN
        frame = Frame(
            kind=messages.OUTPUT,
            sequence=number,
            flags=flags,
            id=self._identity(),
            payload_type=payload_type,
            payload=payload,
            created=self._now(),
        )
        self._outbox.put(frame, now=self._means.clock.steady())
        self._transmit(frame)
        self._arm()

    def acknowledge(self, frame: Frame) -> None:
        """Tell the client that its message has arrived."""
        flags = frames.SYN | frames.FIN
        self._send(
            messages.ACKNOWLEDGE, messages.acknowledging(frame), flags=flags, identity=self._identity()
        )

    def take_leave(self, session: str, *, output: str) -> None:
        """Tell the client that the session is over, and what people should know of it."""
        identity = self._identity()
        payload = messages.channel_closed(
            session=session, message=identity, created=self._now(), output=output
        )
        self._send(messages.CHANNEL_CLOSED, payload, flags=0, identity=identity)

    def close(self, code: int, reason: str) -> None:
        """Close the connection, if there is one, and send nothing again."""
        line, self._line = self._line, None
        if line is not None:
            line.close(code, reason)

    def _send(self, kind: str, payload: bytes, *, flags: int, identity: UUID) -> None:
        """Send what has no number, once."""
        self._transmit(
            Frame(
                kind=kind,
                sequence=0,
                flags=flags,
                id=identity,
                payload_type=0,
                payload=payload,
                created=self._now(),
            )
        )

    def _transmit(self, frame: Frame) -> None:
        if self._line is None:
            return
        if self._outward.breaks(frame.kind):
            self._break()
            return
        for data in self._outward.through(frames.written(frame), kind=frame.kind):
            self._line.send(data)

    def _arm(self) -> None:
        due = self._outbox.due()
        if due is not None and self._line is not None and not self._armed:
            self._armed = True
            self._means.agenda.after(due - self._means.clock.steady(), self._send_again)

    def _send_again(self) -> None:
        self._armed = False
        if self._line is None:
            return
        frame = self._outbox.again(now=self._means.clock.steady())
        if self._outbox.is_hopeless():
            self._hopeless()
            return
        if frame is not None:
            self._transmit(frame)
        self._arm()

    def _break(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.hang_up()

    def _identity(self) -> UUID:
        return UUID(self._means.ids(), version=4)

    def _now(self) -> int:
        return int(self._means.clock.now().timestamp() * 1000)
