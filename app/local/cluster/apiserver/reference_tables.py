"""What `kubectl get` prints of the objects that pods refer to, and of requests for certificates."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.table_cells import age, duration, selector_text

_MODES: Final = (
    ("ReadWriteOnce", "RWO"),
    ("ReadOnlyMany", "ROX"),
    ("ReadWriteMany", "RWX"),
    ("ReadWriteOncePod", "RWOP"),
)
_UNSET: Final = "<unset>"


def _age(obj: Object, now: datetime) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _modes(modes: Iterable[str]) -> str:
    given = set(modes)
    return ",".join(short for mode, short in _MODES if mode in given)


def _phase(obj: Object) -> str:
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    phase: str = obj.get("status", {}).get("phase", "")
    return phase


def _signing_request(obj: Object, now: datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status", {})
    seconds = spec.get("expirationSeconds")
    kinds = {each["type"] for each in status.get("conditions", ())}
    words = ["Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"]
    words += ["Failed"] if "Failed" in kinds else []
    words += ["Issued"] if status.get("certificate") else []
    return [
        obj["metadata"]["name"],
        _age(obj, now),
        spec.get("signerName") or "<none>",
        spec.get("username", ""),
        "<none>" if seconds is None else duration(seconds),
        ",".join(words),
    ]


def _secret(obj: Object, now: datetime) -> list[Any]:
    return [obj["metadata"]["name"], obj.get("type", ""), len(obj.get("data", {})), _age(obj, now)]


def _policy(obj: Object, now: datetime) -> list[Any]:
    selector = obj.get("spec", {}).get("podSelector", {})
    return [obj["metadata"]["name"], selector_text(selector), _age(obj, now)]


def _claim(obj: Object, now: datetime) -> list[Any]:
    spec, status = obj["spec"], obj.get("status", {})
    volume = spec.get("volumeName", "")
    return [
        obj["metadata"]["name"],
        _phase(obj),
        volume,
        status.get("capacity", {}).get("storage", "0") if volume else "",
        _modes(status.get("accessModes", ())) if volume else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", _UNSET),
        _age(obj, now),
        spec.get("volumeMode", _UNSET),
    ]


def _volume(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    claim = spec.get("claimRef")
    return [
        obj["metadata"]["name"],
        spec.get("capacity", {}).get("storage", "0"),
        _modes(spec.get("accessModes", ())),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", _UNSET),
        obj.get("status", {}).get("reason", ""),
        _age(obj, now),
        spec.get("volumeMode", _UNSET),
    ]


REFERENCE_TABLES: Final[
    Mapping[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Object, datetime], list[Any]]]]
] = {
    "certificatesigningrequests": (
        ("Name", "Age", "SignerName", "Requestor", "RequestedDuration", "Condition"),
        (),
        _signing_request,
    ),
    "secrets": (("Name", "Type", "Data", "Age"), (), _secret),
    "networkpolicies": (("Name", "Pod-Selector", "Age"), (), _policy),
    "persistentvolumeclaims": (
        (
            "Name",
            "Status",
            "Volume",
            "Capacity",
            "Access Modes",
            "StorageClass",
            "VolumeAttributesClass",
            "Age",
        ),
        ("VolumeMode",),
        _claim,
    ),
    "persistentvolumes": (
        (
            "Name",
            "Capacity",
            "Access Modes",
            "Reclaim Policy",
            "Status",
            "Claim",
            "StorageClass",
            "VolumeAttributesClass",
            "Reason",
            "Age",
        ),
        ("VolumeMode",),
        _volume,
    ),
}
"""Columns (all of type string), those of -o wide, and the cells."""
