"""A log group in memory, and a directory of containers."""

from datetime import timedelta

from app.model.log import WHOLE_STREAM, LogLine, LogPage, LogSource, LogStream, LogWindow
from app.ports.failures import NotFound, PortFailure
from app.ports.logs import LogDirectory, LogStreams
from tests.builders import NOON


def a_line(text: str, *, second: float = 0) -> LogLine:
    return LogLine(NOON + timedelta(seconds=second), text)


GROUP = "/spillway/pods"


def a_stream(name: str = "pod/main/1") -> LogStream:
    """A stream of the group that the fakes have."""
    return LogStream(group=GROUP, name=name)


class FakeLogStreams(LogStreams):
    """One group. Tokens are positions: `f/3` stands before line 3, `b/3` behind line 2."""

    def __init__(self, *, page_lines: int = 10_000) -> None:
        self.lines: dict[str, list[LogLine]] = {}
        self.calls: list[tuple[str, str | None]] = []
        self.failures: list[PortFailure] = []
        self.page_lines = page_lines

    def write(self, stream: str, *texts: str) -> None:
        """Append lines, a second apart."""
        kept = self.lines.setdefault(stream, [])
        kept += [a_line(text, second=second) for second, text in enumerate(texts, start=len(kept))]

    async def page(
        self,
        stream: LogStream,
        *,
        token: str | None = None,
        from_head: bool = True,
        limit: int = 10_000,
        window: LogWindow = WHOLE_STREAM,
    ) -> LogPage:
        self.calls.append((stream.name, token))
        if self.failures:
            raise self.failures.pop(0)
        if stream.group != GROUP or stream.name not in self.lines:
            raise NotFound("The specified log stream does not exist.")
        kept = [each for each in self.lines[stream.name] if _is_in(each, window)]
        size = min(limit, self.page_lines)
        way, _, place = (token or ("f/0" if from_head else f"b/{len(kept)}")).partition("/")
        first = int(place) if way == "f" else max(0, int(place) - size)
        last = min(len(kept), first + size) if way == "f" else int(place)
        return LogPage(lines=tuple(kept[first:last]), forward=f"f/{last}", backward=f"b/{first}")


def _is_in(line: LogLine, window: LogWindow) -> bool:
    begun = window.since is None or line.at >= window.since
    return begun and (window.until is None or line.at < window.until)


class FakeDirectory(LogDirectory):
    """Knows the containers of one pod, `shop/web-1`."""

    def __init__(self) -> None:
        self.sources: dict[str, LogSource | None] = {}
        self.previous: dict[str, LogSource] = {}
        self.reason = ""

    def put(
        self,
        container: str = "main",
        *,
        stream: str = "pod/main/1",
        finished: bool = False,
        window: LogWindow = WHOLE_STREAM,
    ) -> None:
        self.sources[container] = LogSource(stream=a_stream(stream), finished=finished, window=window)

    def find(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> LogSource | None:
        if (namespace, pod) != ("shop", "web-1"):
            raise NotFound(f'pod "{pod}" does not exist')
        if container not in self.sources:
            raise NotFound(f'container "{container}" not found in pod "{pod}"')
        return self.previous.get(container) if previous else self.sources[container]

    def waiting(self, namespace: str, pod: str, container: str) -> str:
        return self.reason
