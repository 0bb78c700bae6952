"""Events that people read in `kubectl describe` (`app.ports.kubernetes.Events`).

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ (the core/v1 form, which
`kubectl describe` counts up)
"""

import itertools
from typing import Final

from app.kube import paths
from app.kube.event_series import EventSeries, Series, Subject
from app.kube.transport import MERGE_PATCH, Transport
from app.model.namespace import Namespace
from app.model.node import Node
from app.model.pod import Pod
from app.model.wire import Json
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure
from app.telemetry import logs

_log = logs.get(__name__)

_SECONDS: Final = 5.0
_LONGEST_MESSAGE: Final = 1024
_LONGEST_PREFIX: Final = 200
"""An Event's name is its object's name and a suffix, within 253 characters."""


class Events:
    """Writes Events in the name of one component, within the limits of `app.kube.event_series`."""

    def __init__(self, connection: Transport, *, clock: Clock, component: str, host: str) -> None:
        """Nothing is sent yet.

        Args:
            connection: the API server.
            clock: time.
            component: who says so, as `spillway-bridge`.
            host: where it runs, as the node or pod name.
        """
        self._connection = connection
        self._clock = clock
        self._component = component
        self._host = host
        self._series = EventSeries()
        self._serial = itertools.count()

    async def record(
        self, about: Pod | Node | Namespace, *, reason: str, message: str, warning: bool = False
    ) -> bool:
        """Write (or count up) an Event; a failure is logged, and False."""
        subject = Subject(
            about=_identity(about),
            kind="Warning" if warning else "Normal",
            reason=reason,
            message=_short(message),
        )
        try:
            await self._write(subject)
        except PortFailure as error:
            _log.warning("event not written", about=about.metadata.name, reason=reason, error=str(error))
            return False
        return True

    async def _write(self, subject: Subject) -> None:
        series = self._next(subject)
        if series is None:
            _log.debug("event dropped, its object had too many", reason=subject.reason)
        elif series.count == 1:
            await self._create(subject, series)
        else:
            await self._count_up(subject, series)

    async def _count_up(self, subject: Subject, series: Series) -> None:
        namespace = _namespace(subject)
        body = {"count": series.count, "lastTimestamp": self._clock.now()}
        path = paths.event(namespace, series.name)
        try:
            await self._connection.request(
                "PATCH", path, body=body, content_type=MERGE_PATCH, timeout=_SECONDS
            )
        except NotFound:  # API servers keep Events for an hour, some for less
            self._series.forget(subject)
            fresh = self._next(subject)
            if fresh is not None:
                await self._create(subject, fresh)

    async def _create(self, subject: Subject, series: Series) -> None:
        try:
            await self._connection.request(
                "POST", paths.events(_namespace(subject)), body=self._body(subject, series), timeout=_SECONDS
            )
        except PortFailure:
            self._series.forget(subject)
            raise

    def _next(self, subject: Subject) -> Series | None:
        now = self._clock.now()
        prefix = subject.about[2][:_LONGEST_PREFIX].rstrip("-.")
        micros = int(now.timestamp() * 1_000_000)
        name = f"{prefix}.{micros:x}{next(self._serial) % 4096:03x}"
        return self._series.next(subject, name=name, now=now, steady=self._clock.steady())

    def _body(self, subject: Subject, series: Series) -> dict[str, Json]:
        kind, namespace, name, uid = subject.about
        involved = {"apiVersion": "v1", "kind": kind, "namespace": namespace, "name": name, "uid": uid}
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": series.name, "namespace": _namespace(subject)},
            "involvedObject": {field: text for field, text in involved.items() if text},
            "type": subject.kind,
            "reason": subject.reason,
            "message": subject.message,
            "source": {"component": self._component, "host": self._host},
            "reportingComponent": self._component,
            "reportingInstance": self._host,
            "firstTimestamp": series.first,
            "lastTimestamp": series.first,
            "count": series.count,
        }


def _identity(about: Pod | Node | Namespace) -> tuple[str, str, str, str]:
    """Kind, namespace, name and uid. An Event about a namespace stands in it, for those who work there."""
    meta = about.metadata
    namespace = meta.name if isinstance(about, Namespace) else meta.namespace
    return (type(about).__name__, namespace, meta.name, meta.uid)


def _namespace(subject: Subject) -> str:
    """Events about objects without a namespace live in `default`."""
    return subject.about[1] or "default"


def _short(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[: _LONGEST_MESSAGE - 1]}…"
