"""An Event as core/v1 writes it, reduced to what people read.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from datetime import datetime

from app.model.meta import ObjectMeta
from app.model.wire import Wire


class EventSource(Wire, frozen=True):
    """Who wrote it, in the older form."""

    component: str = ""


class InvolvedObject(Wire, frozen=True):
    """What it is about."""

    kind: str = ""
    name: str = ""
    uid: str = ""


class Event(Wire, frozen=True):
    """Something that happened; `type` is `Normal` or `Warning`."""

    metadata: ObjectMeta = ObjectMeta()
    involved_object: InvolvedObject = InvolvedObject()
    type: str = "Normal"
    reason: str = ""
    message: str = ""
    count: int | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    source: EventSource = EventSource()
    reporting_component: str = ""

    @property
    def component(self) -> str:
        """Who wrote it."""
        return self.reporting_component or self.source.component

    @property
    def at(self) -> datetime | None:
        """When it last happened."""
        return self.last_timestamp or self.first_timestamp or self.metadata.creation_timestamp
