"""Reading container logs: where they are (the bridge knows), and their pages (CloudWatch Logs has them)."""

from typing import Protocol

from app.model.log import WHOLE_STREAM, LogPage, LogSource, LogStream, LogWindow


class LogStreams(Protocol):
    """Pages of log streams."""

    async def page(
        self,
        stream: LogStream,
        *,
        token: str | None = None,
        from_head: bool = True,
        limit: int = 10_000,
        window: LogWindow = WHOLE_STREAM,
    ) -> LogPage:
        """One GetLogEvents call. A token goes on in the window in which it was given.

        Raises NotFound where the stream does not exist (yet), Throttled, Unavailable.
        """
        ...


class LogDirectory(Protocol):
    """Finds a container's log."""

    def find(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> LogSource | None:
        """The newest run's log, None while no task was launched; or that of the run before, None without one.

        Raises NotFound, in the kubelet's words, for a pod or container that is not on this node.
        """
        ...

    def waiting(self, namespace: str, pod: str, container: str) -> str:
        """Why the container waits: `state.waiting.reason` of the pod's status, empty where it has none."""
        ...
