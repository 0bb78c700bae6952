"""What the real API server's built-in admission plugins do to a pod or a node on creation.

ServiceAccount, Priority, DefaultTolerationSeconds and TaintNodesByCondition:
https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
The functions change the object they are given.
"""

from collections.abc import Callable
from typing import Final

from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.objects import Object

Find = Callable[[str, str, str], Object | None]
"""(resource, namespace, name) → the object, where it is."""

TOKEN_MOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105  (a path)
NOT_READY: Final = "node.kubernetes.io/not-ready"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
_BUILT_IN_PRIORITIES: Final = {
    "system-cluster-critical": 2_000_000_000,
    "system-node-critical": 2_000_001_000,
}


def taint_new_node(node: Object) -> None:
    """A new node is not ready until its controller has seen it so."""
    taints = node["spec"].setdefault("taints", [])
    if not any(each.get("key") == NOT_READY and each.get("effect") == "NoSchedule" for each in taints):
        taints.append({"key": NOT_READY, "effect": "NoSchedule"})


def admit_pod(pod: Object, *, find: Find, suffix: str) -> None:
    """Run the plugins that come before webhooks, in the real server's order.

    Args:
        pod: the decoded and defaulted pod.
        find: looks objects up.
        suffix: what makes the token volume's name unique (`kube-api-access-<suffix>`).

    Raises:
        ApiError: 403 where the service account or the priority class is not there.
    """
    _service_account(pod, find, suffix)
    _priority(pod, find)
    add_tolerations(pod["spec"])


def _service_account(pod: Object, find: Find, suffix: str) -> None:
    spec, metadata = pod["spec"], pod["metadata"]
    name = spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", name)
    account = find("serviceaccounts", metadata["namespace"], name)
    if account is None:
        who = f"{metadata['namespace']}/{name}"
        raise forbidden_pod(pod, f'error looking up service account {who}: serviceaccount "{name}" not found')
    if "imagePullSecrets" in account and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(each) for each in account["imagePullSecrets"]]
    mounts = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if mounts:
        _mount_token(spec, f"kube-api-access-{suffix}")


def _mount_token(spec: Object, volume: str) -> None:
    bare = [
        container
        for container in [*spec.get("initContainers", ()), *spec.get("containers", ())]
        if not any(mount.get("mountPath") == TOKEN_MOUNT for mount in container.get("volumeMounts", ()))
    ]
    for container in bare:
        mount = {"name": volume, "readOnly": True, "mountPath": TOKEN_MOUNT}
        container.setdefault("volumeMounts", []).append(mount)
    if bare:
        spec.setdefault("volumes", []).append({"name": volume, "projected": _token_sources()})


def _token_sources() -> Object:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    authority = {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": authority},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": 0o644,
    }


def _priority(pod: Object, find: Find) -> None:
    spec = pod["spec"]
    name = spec.get("priorityClassName", "")
    if not name:
        spec["priority"] = 0
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
        return
    if name in _BUILT_IN_PRIORITIES:
        spec["priority"] = _BUILT_IN_PRIORITIES[name]
        spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
        return
    found = find("priorityclasses", "", name)
    if found is None:
        raise forbidden_pod(pod, f"no PriorityClass with name {name} was found")
    spec["priority"] = found["value"]
    spec.setdefault("preemptionPolicy", found["preemptionPolicy"])


def add_tolerations(spec: Object) -> None:
    """DefaultTolerationSeconds, on creation and every update: 300 s for a node not ready or not reached."""
    tolerations = spec.get("tolerations", [])
    missing = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in (NOT_READY, UNREACHABLE)
        if not any(_tolerates(each, key) for each in tolerations)
    ]
    if missing:
        spec["tolerations"] = [*tolerations, *missing]


def _tolerates(toleration: Object, key: str) -> bool:
    return toleration.get("key", "") in {"", key} and toleration.get("effect", "") in {"", "NoExecute"}


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort, from cpu and memory of all containers.

    https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
    """
    containers = [*spec.get("initContainers", ()), *spec.get("containers", ())]
    pairs = [
        (each["resources"].get("requests", {}), each["resources"].get("limits", {})) for each in containers
    ]
    if not any(set(part) & {"cpu", "memory"} for pair in pairs for part in pair):
        return "BestEffort"
    if all(
        name in limits and requests.get(name) == limits[name]
        for requests, limits in pairs
        for name in ("cpu", "memory")
    ):
        return "Guaranteed"
    return "Burstable"


def forbidden_pod(pod: Object, why: str) -> ApiError:
    """403 from an admission plugin."""
    name = pod["metadata"].get("name", "")
    return ApiError(
        403,
        "Forbidden",
        f'pods "{name}" is forbidden: {why}',
        details={"name": name, "kind": "pods"} if name else {"kind": "pods"},
    )
