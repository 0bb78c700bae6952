"""An account that may do exactly what `spillway drain` needs, as the chart's hooks give it."""

import json
from pathlib import Path
from typing import Any, Final

from app.wiring.local import programs
from tests.system.actors import Actors
from tests.system.test_access import RBAC, token_of

CLUSTER_RULES: Final[list[dict[str, Any]]] = [
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]},
    {
        "apiGroups": [""],
        "resources": ["nodes"],
        "verbs": ["patch", "delete"],
        "resourceNames": [programs.NODE],
    },
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "delete"]},
    {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"], "resourceNames": ["kube-system"]},
    {"apiGroups": ["apps"], "resources": ["replicasets", "statefulsets"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["replicationcontrollers"], "verbs": ["get"]},
    {
        "apiGroups": ["scheduling.k8s.io"],
        "resources": ["priorityclasses"],
        "verbs": ["get", "delete"],
        "resourceNames": ["spillway-placeholder"],
    },
]
NODE_LEASE_RULES: Final[list[dict[str, Any]]] = [
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["list", "create"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["patch", "delete"],
        "resourceNames": [programs.NODE],
    },
]
OWN_RULES: Final[list[dict[str, Any]]] = [
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["delete"],
        "resourceNames": ["spillway-gate"],
    },
]


async def kubeconfig_of_a_drain(actors: Actors, space: str) -> Path:
    """A kubeconfig with the token of a new account that has these rights alone."""
    token = await token_of(actors, space, "spillway-drain")
    await _bind(actors, space, "ClusterRole", CLUSTER_RULES)
    await _bind(actors, space, "Role", NODE_LEASE_RULES, namespace="kube-node-lease")
    await _bind(actors, space, "Role", OWN_RULES, namespace=programs.NAMESPACE)
    config = json.loads(actors.stack.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path = actors.stack.options.directory / f"kubeconfig-{space}"
    path.write_text(json.dumps(config))
    return path


async def _bind(
    actors: Actors, space: str, kind: str, rules: list[dict[str, Any]], *, namespace: str = ""
) -> None:
    where = f"{RBAC}/namespaces/{namespace}" if namespace else RBAC
    plural = f"{kind.lower()}s"
    name = f"drain-{space}"
    head: dict[str, Any] = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": name}}
    await actors.request("POST", f"{where}/{plural}", {**head, "kind": kind, "rules": rules})
    binding = {
        "kind": f"{kind}Binding",
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "spillway-drain", "namespace": space}],
    }
    await actors.request("POST", f"{where}/{kind.lower()}bindings", {**head, **binding})
