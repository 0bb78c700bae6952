"""Log groups, streams and events: what CloudWatch Logs keeps."""

import bisect
import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from app.local.fargate.protocol.errors import AwsError
from app.ports.clock import Clock

Place = tuple[int, int]
"""Where an event stands in its stream: its timestamp, then the order of arrival."""

START: Final[Place] = (-1, 0)
"""Before every event."""


class LogTarget(NamedTuple):
    """A stream's full name."""

    group: str
    stream: str


class Event(NamedTuple):
    """One event. Times are milliseconds since 1970."""

    place: Place
    message: str
    ingested: int

    @property
    def size(self) -> int:
        """Bytes, as AWS counts them."""
        return len(self.message.encode()) + 26


class Stream:
    """The events of one stream, in the order of their timestamps."""

    def __init__(self, *, name: str, created: int) -> None:
        self.name = name
        self.created = created
        self.events: list[Event] = []
        self.stored = 0

    def insert(self, event: Event) -> None:
        """Put an event where it belongs: mostly, but not always, at the end."""
        self.stored += event.size
        if self.events and event.place < self.events[-1].place:
            bisect.insort(self.events, event)
        else:
            self.events.append(event)

    def after(self, place: Place) -> int:
        """The index of the first event behind `place`."""
        return bisect.bisect_right(self.events, place, key=lambda event: event.place)

    def before(self, place: Place) -> int:
        """The index after the last event before `place`."""
        return bisect.bisect_left(self.events, place, key=lambda event: event.place)


class Group:
    """One log group."""

    def __init__(self, *, name: str, created: int) -> None:
        self.name = name
        self.created = created
        self.streams: dict[str, Stream] = {}


class LogStore:
    """All log groups of one account and region."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._groups: dict[str, Group] = {}
        self._order = itertools.count(1)

    def has_group(self, name: str) -> bool:
        """Whether there is such a group."""
        return name in self._groups

    def groups(self) -> Sequence[Group]:
        """Every group, by name."""
        return [self._groups[name] for name in sorted(self._groups)]

    def group(self, name: str) -> Group:
        """The group.

        Raises:
            AwsError: there is none.
        """
        if name not in self._groups:
            raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
        return self._groups[name]

    def stream(self, target: LogTarget) -> Stream:
        """The stream.

        Raises:
            AwsError: there is none, or no such group.
        """
        found = self.group(target.group).streams.get(target.stream)
        if found is None:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        return found

    def create_group(self, name: str) -> None:
        """Create a group.

        Raises:
            AwsError: it exists.
        """
        if name in self._groups:
            raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
        self._groups[name] = Group(name=name, created=self._now())

    def create_stream(self, target: LogTarget) -> None:
        """Create a stream.

        Raises:
            AwsError: it exists, or its group does not.
        """
        streams = self.group(target.group).streams
        if target.stream in streams:
            raise AwsError("ResourceAlreadyExistsException", "The specified log stream already exists")
        streams[target.stream] = Stream(name=target.stream, created=self._now())

    def ensure_stream(self, target: LogTarget) -> None:
        """Have the stream of an existing group; a restarted container goes on with its old one."""
        if target.stream not in self.group(target.group).streams:
            self.create_stream(target)

    def append(self, target: LogTarget, message: str, *, printed: datetime) -> None:
        """Take in a container's line."""
        self.put(target, [(_milliseconds(printed), message)])

    def put(self, target: LogTarget, events: Sequence[tuple[int, str]]) -> None:
        """Take in events, given as timestamp and message."""
        stream = self.stream(target)
        for timestamp, message in events:
            stream.insert(Event((timestamp, next(self._order)), message, self._now()))

    def _now(self) -> int:
        return _milliseconds(self._clock.now())


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
