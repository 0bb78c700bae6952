"""Objects as the tables that `kubectl get` prints.

https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables
Cells follow pkg/printers/internalversion/printers.go.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.reference_tables import REFERENCE_TABLES
from app.local.cluster.apiserver.table_cells import (
    addresses,
    age,
    container_names,
    containers,
    images,
    labels_text,
    pod_reason,
    ports_text,
    ready_containers,
    restarts,
    roles,
    selector_text,
    source_text,
)

Cells = list[Any]
Columns = tuple[tuple[str, str, int], ...]
"""(name, type, priority): priority 1 shows with -o wide only."""


def table(
    plural: str, objects: list[Object], *, now: datetime, columns: bool = True, include: str = "Metadata"
) -> Object:
    """A meta.k8s.io/v1 Table without its list metadata.

    Args:
        plural: the resource.
        objects: the rows.
        now: ages count up to here.
        columns: whether to define the columns; a watch does so only once.
        include: what each row carries of its object: Metadata, Object or None.
    """
    names, cells = _TABLES.get(plural, _DEFAULT)
    rows = [{"cells": cells(obj, now)} | _row_object(obj, include) for obj in objects]
    definitions = [_definition(*column) for column in names] if columns else None
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {},
        "columnDefinitions": definitions,
        "rows": rows,
    }


def metadata_only(obj: Object) -> Object:
    """The object as PartialObjectMetadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _row_object(obj: Object, include: str) -> Object:
    if include == "None":
        return {"object": None}
    return {"object": obj if include == "Object" else metadata_only(obj)}


def _definition(name: str, kind: str, priority: int) -> Object:
    form = "name" if name == "Name" else ""
    return {"name": name, "type": kind, "format": form, "description": "", "priority": priority}


def _text(*names: str, wide: tuple[str, ...] = ()) -> Columns:
    return tuple((name, "string", 0) for name in names) + tuple((name, "string", 1) for name in wide)


def _default(obj: Object, now: datetime) -> Cells:
    return [obj["metadata"]["name"], age(obj["metadata"].get("creationTimestamp"), now)]


def _pod(obj: Object, now: datetime) -> Cells:
    spec, status = obj["spec"], obj.get("status", {})
    ips = [each.get("ip", "") for each in status.get("podIPs", ())]
    gates = spec.get("readinessGates", ())
    true = {each["type"] for each in status.get("conditions", ()) if each.get("status") == "True"}
    passed = sum(gate.get("conditionType") in true for gate in gates)
    return [
        obj["metadata"]["name"],
        ready_containers(spec, status),
        pod_reason(obj),
        restarts(status, now),
        age(obj["metadata"].get("creationTimestamp"), now),
        (ips[0] if ips else "") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        f"{passed}/{len(gates)}" if gates else "<none>",
    ]


def _node(obj: Object, now: datetime) -> Cells:
    status = obj.get("status", {})
    info = status.get("nodeInfo", {})
    ready = [each for each in status.get("conditions", ()) if each["type"] == "Ready"]
    words = ["Ready" if ready[0].get("status") == "True" else "NotReady"] if ready else ["Unknown"]
    if obj.get("spec", {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    architecture = info.get("architecture", "")
    kernel = info.get("kernelVersion") or "<unknown>"
    return [
        obj["metadata"]["name"],
        ",".join(words),
        roles(obj["metadata"].get("labels", {})) or "<none>",
        age(obj["metadata"].get("creationTimestamp"), now),
        info.get("kubeletVersion", ""),
        addresses(status, "InternalIP"),
        addresses(status, "ExternalIP"),
        info.get("osImage") or "<unknown>",
        f"{kernel} ({architecture})" if architecture else kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _workload(obj: Object) -> Cells:
    spec = obj["spec"]
    parts = containers(spec)
    return [container_names(parts), images(parts), selector_text(spec.get("selector", {}))]


def _deployment(obj: Object, now: datetime) -> Cells:
    status = obj.get("status", {})
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(obj["metadata"].get("creationTimestamp"), now),
        *_workload(obj),
    ]


def _replica_set(obj: Object, now: datetime) -> Cells:
    status = obj.get("status", {})
    return [
        obj["metadata"]["name"],
        obj["spec"].get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(obj["metadata"].get("creationTimestamp"), now),
        *_workload(obj),
    ]


def _daemon_set(obj: Object, now: datetime) -> Cells:
    status = obj.get("status", {})
    counts = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return [
        obj["metadata"]["name"],
        *(status.get(name, 0) for name in counts),
        labels_text(obj["spec"].get("template", {}).get("spec", {}).get("nodeSelector", {})),
        age(obj["metadata"].get("creationTimestamp"), now),
        *_workload(obj),
    ]


def _namespace(obj: Object, now: datetime) -> Cells:
    made = age(obj["metadata"].get("creationTimestamp"), now)
    return [obj["metadata"]["name"], obj.get("status", {}).get("phase", ""), made]


def _event(obj: Object, now: datetime) -> Cells:
    series = obj.get("series") or {}
    first = age(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = age(obj.get("lastTimestamp"), now) if obj.get("lastTimestamp") else first
    about = obj.get("involvedObject", {})
    target = about.get("kind", "").lower()
    return [
        age(series["lastObservedTime"], now) if series.get("lastObservedTime") else last,
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{target}/{about['name']}" if about.get("name") else target,
        about.get("fieldPath", ""),
        source_text(obj),
        obj.get("message", "").strip(),
        first,
        series.get("count") or obj.get("count") or 1,
        obj["metadata"]["name"],
    ]


def _lease(obj: Object, now: datetime) -> Cells:
    holder = obj.get("spec", {}).get("holderIdentity", "")
    return [obj["metadata"]["name"], holder, age(obj["metadata"].get("creationTimestamp"), now)]


def _service(obj: Object, now: datetime) -> Cells:
    spec = obj["spec"]
    ips: list[str] = spec.get("clusterIPs", [])
    external = spec.get("externalIPs", [])
    return [
        obj["metadata"]["name"],
        spec.get("type", ""),
        ips[0] if ips else "<none>",
        ",".join(external) or spec.get("externalName") or "<none>",
        ports_text(spec.get("ports", ())),
        age(obj["metadata"].get("creationTimestamp"), now),
        labels_text(spec.get("selector", {})),
    ]


def _config_map(obj: Object, now: datetime) -> Cells:
    entries = len(obj.get("data", {})) + len(obj.get("binaryData", {}))
    return [obj["metadata"]["name"], entries, age(obj["metadata"].get("creationTimestamp"), now)]


def _webhooks(obj: Object, now: datetime) -> Cells:
    made = age(obj["metadata"].get("creationTimestamp"), now)
    return [obj["metadata"]["name"], len(obj.get("webhooks", ())), made]


_WIDE: Final = ("Containers", "Images", "Selector")
_DEFAULT: Final = (_text("Name", "Age"), _default)
_TABLES: Final[Mapping[str, tuple[Columns, Callable[[Object, datetime], Cells]]]] = {
    "pods": (
        _text(
            "Name",
            "Ready",
            "Status",
            "Restarts",
            "Age",
            wide=("IP", "Node", "Nominated Node", "Readiness Gates"),
        ),
        _pod,
    ),
    "nodes": (
        _text(
            "Name",
            "Status",
            "Roles",
            "Age",
            "Version",
            wide=("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"),
        ),
        _node,
    ),
    "deployments": (_text("Name", "Ready", "Up-to-date", "Available", "Age", wide=_WIDE), _deployment),
    "replicasets": (
        (
            ("Name", "string", 0),
            *((name, "integer", 0) for name in ("Desired", "Current", "Ready")),
            *_text("Age", wide=_WIDE),
        ),
        _replica_set,
    ),
    "daemonsets": (
        (
            ("Name", "string", 0),
            *((name, "integer", 0) for name in ("Desired", "Current", "Ready", "Up-to-date", "Available")),
            *_text("Node Selector", "Age", wide=_WIDE),
        ),
        _daemon_set,
    ),
    "namespaces": (_text("Name", "Status", "Age"), _namespace),
    "events": (
        (
            *_text("Last Seen", "Type", "Reason", "Object", wide=("Subobject", "Source")),
            ("Message", "string", 0),
            *_text(wide=("First Seen", "Count", "Name")),
        ),
        _event,
    ),
    "leases": (_text("Name", "Holder", "Age"), _lease),
    "services": (
        _text("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", wide=("Selector",)),
        _service,
    ),
    "configmaps": (_text("Name", "Data", "Age"), _config_map),
    **{
        plural: (_text(*names, wide=wide), cells) for plural, (names, wide, cells) in REFERENCE_TABLES.items()
    },
    "mutatingwebhookconfigurations": (
        (("Name", "string", 0), ("Webhooks", "integer", 0), ("Age", "string", 0)),
        _webhooks,
    ),
}
