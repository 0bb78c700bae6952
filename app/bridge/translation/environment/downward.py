"""What a pod may be told of itself: fields and resources, as text.

https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
"""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Final

from app.fargate import sizes
from app.model import names
from app.model.container import Container, ResourceFieldRef
from app.model.pod import Pod
from app.model.quantity import MIB, milli, whole
from app.model.requests import effective_requests, requests_of

SHARED_FIELDS: Final = frozenset({"metadata.namespace", "spec.serviceAccountName"})
"""Fields that are the same in all pods of a template."""

FACTS: Final = {"status.podIP": "podIP", "status.podIPs": "podIPs"}
"""Fields known only inside the task, and what the in-task helper calls them (helper/README.md, `fact`)."""

_SHORT_ESCAPES: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}
_SPACE, _DELETE, _BASIC_PLANE = 0x20, 0x7F, 0x10000
_DEFAULTED: Final = ("cpu", "memory", "ephemeral-storage")


def field_value(pod: Pod, path: str, *, host_ip: str = "") -> str | None:
    """The value of a field of the pod; None for one that nobody knows before launch.

    Args:
        pod: the pod.
        path: as `metadata.labels['app']`; an absent key is empty.
        host_ip: the virtual node's address; where it is empty, `status.hostIP` is unknown.
    """
    whole_value = _plain_fields(pod, host_ip=host_ip).get(path)
    if whole_value is not None:
        return whole_value
    path, bracket, rest = path.partition("['")
    if not bracket or not rest.endswith("']"):
        return None
    found = _mappings(pod).get(path)
    return None if found is None else found.get(rest.removesuffix("']"), "")


def formatted(mapping: Mapping[str, str]) -> str:
    """Labels or annotations as a downward file holds them: sorted lines of `key="value"`, quoted as in Go."""
    return "\n".join(f'{key}="{_quoted(value)}"' for key, value in sorted(mapping.items()))


def resource_value(reference: ResourceFieldRef, *, pod: Pod, allocatable: Mapping[str, str]) -> str | None:
    """A container's request or limit in units of `divisor`, rounded up; None for an unknown one.

    A limit that is not set is what `allocatable` has; a request that is not set is 0.

    Raises:
        QuantityError: a quantity does not parse.
    """
    container = named_container(pod, reference.container_name)
    kind, _, resource = reference.resource.partition(".")
    if container is None or kind not in {"limits", "requests"} or not _is_told(resource):
        return None
    asked = effective_requests(container.resources) if kind == "requests" else container.resources.limits
    amount = asked.get(resource, "0")
    if kind == "limits" and resource in _DEFAULTED and not whole(amount):
        amount = allocatable.get(resource, "0")
    count = milli if resource == "cpu" else whole
    return str(ceil(Fraction(count(amount), count(reference.divisor or "1") or count("1"))))


def named_container(pod: Pod, name: str) -> Container | None:
    """The pod's container of this name, main containers first."""
    every = (*pod.spec.containers, *pod.spec.init_containers)
    return next((each for each in every if each.name == name), None)


def allocatable_of(pod: Pod) -> Mapping[str, str]:
    """What a container without limits can have at most: the task's size, as on a node its allocatable.

    Raises:
        QuantityError: a quantity does not parse.
    """
    asked = requests_of(pod)
    size = sizes.size_for(asked.cpu_milli, asked.memory)
    storage = sizes.ephemeral_gib_for(asked.storage)
    gib = storage if isinstance(storage, int) else sizes.DEFAULT_EPHEMERAL_GIB
    if not isinstance(size, sizes.Size):
        return {"ephemeral-storage": f"{gib}Gi"}
    return {
        "cpu": f"{size.cpu_units * 1000 // 1024}m",
        "memory": str(size.memory_mib * MIB),
        "ephemeral-storage": f"{gib}Gi",
    }


def with_pod_limits(pod: Pod, allocatable: Mapping[str, str]) -> Mapping[str, str]:
    """The same within the limits of the pod as a whole; kubelet does so for variables, not for files."""
    limits = pod.spec.resources.limits if pod.spec.resources is not None else {}
    held = {name: limits[name] for name in ("cpu", "memory") if whole(limits.get(name, "0"))}
    return {**allocatable, **held}


def _plain_fields(pod: Pod, *, host_ip: str) -> dict[str, str | None]:
    return {
        "metadata.name": pod.metadata.name,
        "metadata.namespace": pod.metadata.namespace,
        "metadata.uid": str(pod.metadata.uid),
        "metadata.labels": formatted(pod.metadata.labels),
        "metadata.annotations": formatted(_mappings(pod)["metadata.annotations"]),
        "spec.nodeName": pod.spec.node_name,
        "spec.host": pod.spec.node_name,
        "spec.serviceAccountName": pod.spec.service_account_name,
        "status.hostIP": host_ip or None,
        "status.hostIPs": host_ip or None,
    }


def _mappings(pod: Pod) -> dict[str, Mapping[str, str]]:
    written = pod.metadata.annotations
    annotations = {key: value for key, value in written.items() if key not in names.OF_ATTEMPTS}
    return {"metadata.labels": pod.metadata.labels, "metadata.annotations": annotations}


def _is_told(resource: str) -> bool:
    return resource in _DEFAULTED or resource.startswith("hugepages-")


def _quoted(value: str) -> str:
    return "".join(_SHORT_ESCAPES.get(each) or _escaped(each) for each in value)


def _escaped(character: str) -> str:
    code = ord(character)
    if code < _SPACE or code == _DELETE:
        return f"\\x{code:02x}"
    if character.isprintable():
        return character
    return f"\\u{code:04x}" if code < _BASIC_PLANE else f"\\U{code:08x}"
