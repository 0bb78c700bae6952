"""One session: a command in a container, and what passes between it and whoever opened it."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from app.local.fargate.journal import SessionState
from app.local.fargate.session_manager import frames, messages
from app.local.fargate.session_manager.correspondence import Correspondence, Line
from app.local.fargate.session_manager.frames import Frame
from app.local.fargate.session_manager.inbox import Inbox
from app.local.fargate.session_manager.means import Means, Purpose
from app.local.fargate.session_manager.violation import Violation

if TYPE_CHECKING:
    from app.local.fargate.running.terminals import Terminal

NORMAL: Final = 1000
POLICY_VIOLATION: Final = 1008
"""Codes that a WebSocket is closed with (RFC 6455, 7.4.1)."""


class Session:
    """From ExecuteCommand to its end (`running.terminals.Watcher` of its terminal).

    It lives on while its connection is broken. It ends with its command once all that it printed has arrived,
    when it is terminated, when nothing was typed or shown for the pace's `idle`, and by a violation.
    """

    def __init__(self, purpose: Purpose, means: Means, *, on_end: Callable[[str], None]) -> None:
        self._purpose = purpose
        self._means = means
        self._on_end = on_end
        self._inbox = Inbox()
        self._client = Correspondence(
            means, hopeless=partial(self._end, "nobody acknowledges anything", code=NORMAL)
        )
        self._terminal: Terminal | None = None
        self._begun: float | None = None
        self._complete = False
        self._active_at = means.clock.steady()
        self._working = self._typing = self._held = False
        self._over = self._ended = False
        self._farewell = ""
        self._note("OPENED")
        self._means.agenda.after(means.pace.idle, self._end_if_idle)

    def attach(self, line: Line) -> None:
        """Go on over this connection; an earlier one is closed."""
        self._client.attach(line)
        self._note("CONNECTED")
        if self._begun is None:
            self._begun = self._means.clock.steady()
            self._client.say(messages.HANDSHAKE_REQUEST, messages.handshake_request())

    def detach(self, line: Line) -> None:
        """This connection is over; what is not acknowledged waits for another."""
        self._client.detach(line)

    def received(self, data: bytes) -> None:
        """Take in a binary message."""
        if self._ended:
            return
        try:
            frame = frames.read(data)
            messages.require_allowed(frame, complete=self._complete)
            for each in self._client.arriving(frame):
                self._take(each)
        except Violation as violation:
            self.violate(str(violation))

    def violate(self, how: str) -> None:
        """End it, since the client broke the protocol."""
        self._end(f"violation: {how}", code=POLICY_VIOLATION)

    def terminate(self, reason: str, *, farewell: str = "") -> None:
        """End it, and tell the client; the farewell is what people should know of it."""
        if not self._ended:
            self._client.take_leave(self._purpose.session, output=farewell)
            self._end(reason, code=NORMAL)

    def shown(self, data: bytes) -> None:
        """Pass on what the terminal shows, and hold it while too much is on its way."""
        if self._ended:
            return
        self._active_at = self._means.clock.steady()
        self._client.say(messages.OUTPUT_PAYLOAD, data)
        if self._client.is_full and self._terminal is not None:
            self._held = True
            self._terminal.hold()

    def ended(self, problem: str) -> None:
        """The command is over; so is the session, once everything has arrived, unless it was to linger."""
        self._terminal = None
        if self._means.faults.take(messages.CHANNEL_CLOSED, "linger") is not None:
            return
        self._over = True
        if problem:
            self._farewell = (
                f"----------ERROR-------\nUnable to start command: Failed to start pty: {problem}"
            )
        self._relieve()

    def _take(self, frame: Frame) -> None:
        if self._ended:
            return
        if frame.kind == messages.ACKNOWLEDGE:
            self._client.arrived(frame)
            self._relieve()
        elif self._inbox.put(frame):
            self._client.acknowledge(frame)
        elif not self._working:
            self._work()

    def _work(self) -> None:
        """Deal with messages in their order, as far as the terminal takes them."""
        self._working = True
        try:
            while not (self._typing or self._ended) and (frame := self._inbox.head()) is not None:
                self._deal_with(frame)
        finally:
            self._working = False

    def _deal_with(self, frame: Frame) -> None:
        match frame.payload_type:
            case messages.OUTPUT_PAYLOAD if self._terminal is not None:
                self._active_at = self._means.clock.steady()
                self._typing = True
                self._terminal.type(messages.typed(frame.payload), partial(self._typed, frame))
                return
            case messages.HANDSHAKE_RESPONSE:
                self._shake(frame)
            case messages.SIZE_PAYLOAD:
                size = messages.size_of(frame)
                if self._terminal is not None:
                    self._terminal.resize(columns=size.cols, rows=size.rows)
            case messages.FLAG_PAYLOAD:
                messages.require_termination(frame)
                self._done(frame)
                self.terminate("terminated by the client")
                return
            case _:
                self._done(frame)  # typed once the command is over: nobody reads it
                return
        self._done(frame)

    def _typed(self, frame: Frame) -> None:
        self._typing = False
        self._done(frame)
        if not self._working:
            self._work()

    def _done(self, frame: Frame) -> None:
        self._inbox.take()
        self._client.acknowledge(frame)

    def _shake(self, frame: Frame) -> None:
        problem = messages.handshake_problem(frame)
        if problem:
            self._means.agenda.after(0.0, partial(self.terminate, problem, farewell=problem))
        else:
            self._means.agenda.after(self._means.pace.handshake, self._complete_handshake)

    def _complete_handshake(self) -> None:
        if self._ended:
            return
        self._complete = True
        seconds = self._means.clock.steady() - (self._begun or 0.0)
        self._client.say(messages.HANDSHAKE_COMPLETE, messages.handshake_complete(seconds=seconds))
        self._note("STARTED")
        try:
            self._terminal = self._means.host.terminal(self._purpose.workload, self._purpose.argv, self)
        except OSError as cause:
            self.ended(str(cause))
            return
        if self._terminal is None:
            self.ended("the container is not running")

    def _relieve(self) -> None:
        """Something has arrived: there is room for more, or nothing is left to be told."""
        if self._held and self._terminal is not None and not self._client.is_full:
            self._held = False
            self._terminal.go_on()
        if self._over and self._client.is_settled:
            self.terminate("its command is over", farewell=self._farewell)

    def _end_if_idle(self) -> None:
        left = self._active_at + self._means.pace.idle - self._means.clock.steady()
        if self._ended:
            return
        if left <= 0:
            self.terminate("it was idle for too long", farewell="Your session timed out due to inactivity.")
        else:
            self._means.agenda.after(left, self._end_if_idle)

    def _end(self, reason: str, *, code: int) -> None:
        if self._ended:
            return
        self._ended = True
        terminal, self._terminal = self._terminal, None
        if terminal is not None:
            terminal.kill()
        self._client.close(code, reason)
        self._note("ENDED", reason=reason)
        self._on_end(self._purpose.session)

    def _note(self, status: str, *, reason: str = "") -> None:
        state = SessionState(
            session=self._purpose.session,
            task=self._purpose.task,
            container=self._purpose.workload.container,
            status=status,
            reason=reason,
        )
        self._means.journal.session(state)
