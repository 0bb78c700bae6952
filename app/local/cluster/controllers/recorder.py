"""Events that people read in `kubectl describe`: written once, then counted up."""

import secrets

from app.local.cluster.apiserver.api import Api, ApiError, Object
from app.model.times import rfc3339
from app.ports.clock import Clock
from app.telemetry import logs

_REMEMBERED = 4096


class Recorder:
    """Records Events of one component (`default-scheduler`, `replicaset-controller`)."""

    def __init__(self, api: Api, *, component: str, clock: Clock) -> None:
        self._api = api
        self._component = component
        self._clock = clock
        self._counts: dict[tuple[str, str, str], tuple[str, int]] = {}
        self._log = logs.get(__name__)

    async def record(self, about: Object, *, reason: str, message: str, warning: bool = False) -> None:
        """Write the Event, or count up the same one. An Event that cannot be written is only logged."""
        key = (about["metadata"]["uid"], reason, message)
        namespace = about["metadata"].get("namespace") or "default"
        try:
            if key in self._counts:
                await self._count_up(namespace, key)
            else:
                await self._create(about, namespace, key, warning=warning)
        except ApiError as error:
            self._counts.pop(key, None)
            self._log.info("event not written", reason=reason, error=error.message)

    async def _create(
        self, about: Object, namespace: str, key: tuple[str, str, str], *, warning: bool
    ) -> None:
        now = rfc3339(self._clock.now())
        name = f"{about['metadata']['name']}.{secrets.token_hex(8)}"
        body = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {
                "apiVersion": about.get("apiVersion", "v1"),
                "kind": about.get("kind", ""),
                "name": about["metadata"]["name"],
                "namespace": about["metadata"].get("namespace", ""),
                "uid": about["metadata"]["uid"],
            },
            "reason": key[1],
            "message": key[2],
            "type": "Warning" if warning else "Normal",
            "source": {"component": self._component},
            "reportingComponent": self._component,
            "reportingInstance": "",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await self._api.create("events", namespace, body)
        if len(self._counts) >= _REMEMBERED:
            self._counts.clear()
        self._counts[key] = (name, 1)

    async def _count_up(self, namespace: str, key: tuple[str, str, str]) -> None:
        name, count = self._counts[key]
        patch = {"count": count + 1, "lastTimestamp": rfc3339(self._clock.now())}
        await self._api.patch("events", namespace, name, patch, kind="merge")
        self._counts[key] = (name, count + 1)
