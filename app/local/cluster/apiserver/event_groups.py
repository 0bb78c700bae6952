"""Events of both groups: core/v1 is what is stored, events.k8s.io/v1 another view of it.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from typing import Any, Final

from app.local.cluster.apiserver.objects import Object

_NEW_NAMES: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "reportingComponent": "reportingController",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
}
_OLD_NAMES: Final = {new: old for old, new in _NEW_NAMES.items()}


def to_new(event: Object) -> Object:
    """A stored event as events.k8s.io/v1."""
    return {_NEW_NAMES.get(name, name): value for name, value in event.items()} | {
        "apiVersion": "events.k8s.io/v1"
    }


def to_stored(body: Any) -> Any:
    """An events.k8s.io/v1 event, or a merge patch of one, in the names that are stored."""
    if not isinstance(body, dict):
        return body
    renamed = {_OLD_NAMES.get(name, name): value for name, value in body.items()}
    return renamed | {"apiVersion": "v1"} if "apiVersion" in renamed else renamed
