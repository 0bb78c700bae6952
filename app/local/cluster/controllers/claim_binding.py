"""Claims and the volumes that an administrator made: each claim is bound to one volume, and stays so.

https://kubernetes.io/docs/concepts/storage/persistent-volumes/#binding
Volumes are not provisioned: there is no driver here that could make one.
"""

from decimal import Decimal

from app.local.cluster.apiserver.api import Api, ApiError, Object
from app.model.quantity import exact
from app.ports.clock import Clock
from app.telemetry import logs

_PERIOD = 1.0
_BY_US = "pv.kubernetes.io/bound-by-controller"
_DONE = "pv.kubernetes.io/bind-completed"

log = logs.get(__name__)


class ClaimBinding:
    """Looks at all claims and volumes every second; there are few of them."""

    def __init__(self, api: Api, *, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    async def run(self) -> None:
        """Bind until cancelled."""
        while True:
            await self.bind()
            await self._clock.sleep(_PERIOD)

    async def bind(self) -> None:
        """One round."""
        for claim in self._api.list("persistentvolumeclaims"):
            if claim["status"]["phase"] == "Pending":
                await self._attempt(claim)
        for volume in self._api.list("persistentvolumes"):
            phase = self._phase(volume)
            if volume["status"]["phase"] != phase:
                await self._set_phase(volume, phase)

    async def _attempt(self, claim: Object) -> None:
        volume = self._volume_for(claim)
        if volume is None:
            return
        try:
            await self._bind(claim, volume)
        except ApiError as error:
            log.info("claim not bound yet", claim=claim["metadata"]["name"], error=error.message)

    async def _bind(self, claim: Object, volume: Object) -> None:
        """The volume first: who finds it taken must not find the claim bound to it."""
        metadata, name = claim["metadata"], volume["metadata"]["name"]
        reference = {
            "kind": "PersistentVolumeClaim",
            "apiVersion": "v1",
            **{key: metadata[key] for key in ("namespace", "name", "uid", "resourceVersion")},
        }
        await self._api.patch(
            "persistentvolumes",
            "",
            name,
            {"metadata": _stamped(volume, _BY_US), "spec": {"claimRef": reference}},
            kind="merge",
        )
        marks = (_DONE,) if claim["spec"].get("volumeName") else (_DONE, _BY_US)
        where = ("persistentvolumeclaims", metadata["namespace"], metadata["name"])
        patch = {"metadata": _stamped(claim, *marks), "spec": {"volumeName": name}}
        await self._api.patch(*where, patch, kind="merge")
        spec = volume["spec"]
        status = {"phase": "Bound", "accessModes": spec["accessModes"], "capacity": spec["capacity"]}
        await self._api.patch(*where, {"status": status}, kind="merge", subresource="status")

    async def _set_phase(self, volume: Object, phase: str) -> None:
        await self._api.patch(
            "persistentvolumes",
            "",
            volume["metadata"]["name"],
            {"status": {"phase": phase}},
            kind="merge",
            subresource="status",
        )

    def _volume_for(self, claim: Object) -> Object | None:
        """The volume that is kept for the claim, or else the smallest that it may have."""
        fitting = [each for each in self._api.list("persistentvolumes") if _fits(each, claim)]
        ranked = sorted(fitting, key=lambda each: ("claimRef" not in each["spec"], _size(each)))
        return next(iter(ranked), None)

    def _phase(self, volume: Object) -> str:
        reference = volume["spec"].get("claimRef")
        if reference is None or not reference.get("uid"):
            return "Available"
        claim = self._api.store.get(
            "persistentvolumeclaims", (reference.get("namespace", ""), reference["name"])
        )
        is_there = claim is not None and claim["metadata"]["uid"] == reference["uid"]
        return "Bound" if is_there else "Released"


def _stamped(obj: Object, *marks: str) -> Object:
    metadata = obj["metadata"]
    return {"uid": metadata["uid"], "annotations": dict.fromkeys(marks, "yes")}


def _fits(volume: Object, claim: Object) -> bool:
    spec, wanted = volume["spec"], claim["spec"]
    if not _is_free_for(spec.get("claimRef"), claim["metadata"]):
        return False
    if wanted.get("volumeName"):
        return bool(wanted["volumeName"] == volume["metadata"]["name"])
    asked = wanted.get("resources", {}).get("requests", {}).get("storage", "0")
    return (
        spec.get("storageClassName", "") == wanted.get("storageClassName", "")
        and spec["volumeMode"] == wanted["volumeMode"]
        and set(wanted.get("accessModes", ())) <= set(spec.get("accessModes", ()))
        and _size(volume) >= exact(asked)
    )


def _is_free_for(reference: Object | None, claim: Object) -> bool:
    """Whether the volume is nobody's, or kept for this claim; one of an earlier claim of the name is not."""
    if reference is None:
        return True
    named = (reference.get("namespace"), reference.get("name")) == (claim["namespace"], claim["name"])
    return named and reference.get("uid", "") in {"", claim["uid"]}


def _size(volume: Object) -> Decimal:
    return exact(volume["spec"].get("capacity", {}).get("storage", "0"))
