"""Reading container logs: where they are (the bridge knows), and their pages (CloudWatch Logs has them)."""

from datetime import datetime
from typing import Protocol

import msgspec


class LogLine(msgspec.Struct, frozen=True):
    """One event of a stream; `text` has no line end."""

    at: datetime
    text: str


class LogPage(msgspec.Struct, frozen=True):
    """Some lines in order, and the tokens to go on in both directions.

    Reading forward, the same token returned means "nothing newer yet"; an empty page with a *changed* token
    does not.
    """

    lines: tuple[LogLine, ...]
    forward: str
    backward: str


class LogStreams(Protocol):
    """Pages of log streams in one log group."""

    async def page(
        self, stream: str, *, token: str | None = None, from_head: bool = True, limit: int = 10_000
    ) -> LogPage:
        """One GetLogEvents call.

        Raises NotFound where the stream does not exist (yet), Throttled, Unavailable.
        """
        ...


class LogSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where one container's log is; `finished` once the container will print no more."""

    stream: str
    finished: bool


class LogDirectory(Protocol):
    """Finds a container's log."""

    def find(self, namespace: str, pod: str, container: str) -> LogSource | None:
        """The newest attempt's log; None while no task was launched.

        Raises NotFound, in the kubelet's words, for a pod or container that is not on this node.
        """
        ...

    def waiting(self, namespace: str, pod: str, container: str) -> str:
        """Why the container waits: `state.waiting.reason` of the pod's status, empty where it has none."""
        ...
