"""Pods of nodes that are no more: failed and removed by force, since no kubelet is left to do it.

https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-garbage-collection
"""

from app.local.cluster.apiserver.api import Api, ApiError, Object
from app.model.times import rfc3339
from app.ports.clock import Clock
from app.telemetry import logs

_PERIOD = 20.0
_QUARANTINE = 40.0
"""A node must have been missing for so long: it may only be registering anew."""


class PodGarbage:
    """Looks at all bound pods every few seconds."""

    def __init__(self, api: Api, *, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._missing: dict[str, float] = {}
        self._log = logs.get(__name__)

    async def run(self) -> None:
        """Collect until cancelled."""
        while True:
            await self.collect()
            await self._clock.sleep(_PERIOD)

    async def collect(self) -> None:
        """One round."""
        nodes = {raw["metadata"]["name"] for raw in self._api.list("nodes")}
        bound = [raw for raw in self._api.list("pods") if raw["spec"].get("nodeName")]
        now = self._clock.steady()
        orphaned = {raw["spec"]["nodeName"] for raw in bound} - nodes
        self._missing = {name: self._missing.get(name, now) for name in orphaned}
        for raw in bound:
            since = self._missing.get(raw["spec"]["nodeName"], now)
            if now - since >= _QUARANTINE:
                await self._remove(raw)

    async def _remove(self, raw: Object) -> None:
        metadata = raw["metadata"]
        namespace, name, uid = metadata["namespace"], metadata["name"], metadata["uid"]
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
            "lastTransitionTime": rfc3339(self._clock.now()),
        }
        patch = {"metadata": {"uid": uid}, "status": {"phase": "Failed", "conditions": [condition]}}
        try:
            if raw["status"].get("phase") not in {"Succeeded", "Failed"}:
                await self._api.patch("pods", namespace, name, patch, kind="strategic", subresource="status")
            await self._api.delete("pods", namespace, name, grace_seconds=0, uid=uid)
        except ApiError as error:
            self._log.info("orphaned pod not removed", pod=f"{namespace}/{name}", error=error.message)
