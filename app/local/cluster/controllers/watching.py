"""A watch that never ends: begun anew, from the current state, whenever it was too slow."""

from collections.abc import AsyncIterator

from app.local.cluster.apiserver.api import Api, ApiError, Object, WatchEvent
from app.ports.clock import Clock
from app.telemetry import logs

_RETRY = 0.1
_GONE = 410

log = logs.get(__name__)


async def changes(api: Api, resource: str, *, clock: Clock) -> AsyncIterator[WatchEvent]:
    """Every object as ADDED, then every change; after a gap again every object, and what went meanwhile.

    Consumers must take an ADDED object that they know for an update. What was deleted during a gap is told
    as DELETED with the object as last seen.
    """
    known: dict[str, WatchEvent] = {}
    while True:
        try:
            for event in _vanished(api, resource, known):
                yield event
            async for event in api.watch(resource):
                uid = event.object["metadata"]["uid"]
                if event.type == "DELETED":
                    known.pop(uid, None)
                else:
                    known[uid] = event
                yield event
        except ApiError as error:
            if error.status_code != _GONE:  # 410 is a watch that was too slow: everything is told anew
                log.warning("watch broke and begins anew", resource=resource, error=error.message)
        await clock.sleep(_RETRY)


def _vanished(api: Api, resource: str, known: dict[str, WatchEvent]) -> list[WatchEvent]:
    current = {each["metadata"]["uid"] for each in api.list(resource)}
    gone = [uid for uid in known if uid not in current]
    return [
        WatchEvent(type="DELETED", object=last.object, version=last.version)
        for last in (known.pop(uid) for uid in gone)
    ]


def key_of(obj: Object) -> str:
    """`namespace/name`, or `name` for an object without a namespace."""
    namespace = obj["metadata"].get("namespace", "")
    return f"{namespace}/{obj['metadata']['name']}" if namespace else str(obj["metadata"]["name"])


def controller_key(obj: Object, kind: str) -> str | None:
    """The key of the controller of this kind that manages the object, if one does."""
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller") and owner["kind"] == kind:
            return f"{obj['metadata']['namespace']}/{owner['name']}"
    return None
