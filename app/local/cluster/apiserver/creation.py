"""New objects: where they belong, what they are called, and what the server fills in first."""

import hashlib
from collections.abc import Callable
from typing import Final

from app.local.cluster.apiserver import defaulting, errors
from app.local.cluster.apiserver.built_in_admission import admit_pod, qos_class, taint_new_node
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import Resource
from app.local.cluster.apiserver.store import Store

_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels: generated names spell no words."""
_LONGEST_PREFIX: Final = 58
_GIVEN: Final = ("resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds")


class Creation:
    """What happens to an object between its decoding and its admission."""

    def __init__(self, store: Store, *, ids: Callable[[], str]) -> None:
        self._store = store
        self._ids = ids

    def place(self, resource: Resource, namespace: str, metadata: Object) -> None:
        """Put the object into the request's namespace, and name it. Raises ApiError 400, 403, 404."""
        self._name(metadata)
        if metadata.setdefault("namespace", namespace) != namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        if not resource.namespaced:
            del metadata["namespace"]
            return
        found = self._find("namespaces", "", namespace)
        if found is None:
            raise errors.not_found("namespaces", namespace)
        if found["status"]["phase"] == "Terminating":
            name = metadata.get("name", "")
            raise errors.ApiError(
                403,
                "Forbidden",
                f'{resource.qualified} "{name}" is forbidden: unable to create new content in namespace '
                f"{namespace} because it is being terminated",
                details={"name": name, "kind": resource.plural},
            )

    def stamp(self, resource: Resource, obj: Object, *, now: str) -> None:
        """Fill in what the server, not the user, decides, and the defaults."""
        if "status" in resource.subresources and resource.plural != "nodes":
            obj.pop("status", None)
        metadata = obj["metadata"]
        for name in _GIVEN:
            metadata.pop(name, None)
        metadata |= {"uid": self._ids(), "creationTimestamp": now}
        if resource.spec_generation:
            metadata["generation"] = 1
        defaulting.fill(resource.plural, obj)
        if resource.plural == "persistentvolumes":
            obj["status"]["lastPhaseTransitionTime"] = now

    def admit(self, resource: Resource, obj: Object) -> None:
        """Run the built-in admission plugins. Raises ApiError 403."""
        match resource.plural:
            case "pods":
                admit_pod(obj, find=self._find, suffix=self._suffix())
            case "nodes":
                taint_new_node(obj)
            case "services":
                self._cluster_ip(obj["spec"])
            case _:
                return

    def _name(self, metadata: Object) -> None:
        prefix = metadata.get("generateName", "")
        if not metadata.get("name") and prefix:
            metadata["name"] = f"{prefix[:_LONGEST_PREFIX]}{self._suffix()}"

    def _suffix(self) -> str:
        digest = hashlib.sha256(self._ids().encode()).digest()
        return "".join(_ALPHABET[each % len(_ALPHABET)] for each in digest[:5])

    def _cluster_ip(self, spec: Object) -> None:
        if spec["type"] == "ExternalName" or "clusterIP" in spec:
            spec.setdefault("clusterIPs", [spec["clusterIP"]] if "clusterIP" in spec else [])
            return
        taken = {each["spec"].get("clusterIP") for each in self._store.list("services")}
        free = (f"10.0.{number >> 8}.{number & 255}" for number in range(2, 65_534))
        spec["clusterIP"] = next(each for each in free if each not in taken)
        spec["clusterIPs"] = [spec["clusterIP"]]

    def _find(self, resource: str, namespace: str, name: str) -> Object | None:
        return self._store.get(resource, (namespace, name))


def pod_status(spec: Object, *, now: str) -> Object:
    """What the status of a new pod has beside its defaults: the quality of service, and whether it is gated.

    https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/
    """
    status: Object = {"qosClass": qos_class(spec)}
    if spec.get("schedulingGates"):
        gated = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": now,
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }
        status["conditions"] = [gated]
    return status
