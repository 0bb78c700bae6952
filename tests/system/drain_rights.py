"""An account that may do exactly what the chart lets `spillway drain` do: before an uninstall, and after."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from app.kube import paths
from app.wiring.local import programs
from tests.chart.rendering import NAMESPACE, Json, helm_path, path_of, rendered
from tests.system.actors import Actors
from tests.system.test_access import token_of

ROLES = {"Role", "ClusterRole"}
HANDING_OVER: Json = {"extender": {"settings": {"handover": True}}}


def roles_of_a_drain() -> tuple[Json, ...]:
    """The roles of both Jobs, as helm renders them for the nodes and the namespace of a local stack."""
    assert programs.NAMESPACE == NAMESPACE
    made = rendered({**HANDING_OVER, "bridge": {"settings": {"nodeName": programs.NODE}}})
    return tuple(
        each
        for each in made
        if each["kind"] in ROLES and each["metadata"]["labels"]["app.kubernetes.io/component"] == "drain"
    )


async def kubeconfig_of_a_drain(actors: Actors, space: str) -> Path:
    """A kubeconfig with the token of a new account that has these rights alone; skips without helm."""
    if not helm_path(4):
        pytest.skip("helm cannot be fetched (scripts/lib/helm)")
    token = await token_of(actors, space, "spillway-drain")
    for role in roles_of_a_drain():
        await _bind(actors, space, role)
        await actors.until_so("RBAC to know the role", functools.partial(_is_known, actors, space, role))
    config = json.loads(actors.stack.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path = actors.stack.options.directory / f"kubeconfig-{space}"
    path.write_text(json.dumps(config))
    return path


async def _bind(actors: Actors, space: str, role: Json) -> None:
    """The role by another name, and its binding to the account."""
    name = f"{role['metadata']['name']}-{space}"
    metadata = {**role["metadata"], "name": name}
    await _create(actors, {**role, "metadata": metadata})
    binding: dict[str, Any] = {
        "apiVersion": role["apiVersion"],
        "kind": f"{role['kind']}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "spillway-drain", "namespace": space}],
    }
    await _create(actors, binding)


async def _is_known(actors: Actors, space: str, role: Json) -> bool:
    """Whether the account may do the first thing that the role lets it do."""
    rule = role["rules"][0]
    attributes = {
        "verb": rule["verbs"][0],
        "group": rule["apiGroups"][0],
        "resource": rule["resources"][0],
        "namespace": role["metadata"].get("namespace", ""),
        "name": rule.get("resourceNames", [""])[0],
    }
    user = f"system:serviceaccount:{space}:spillway-drain"
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    review = await actors.request("POST", paths.SUBJECT_ACCESS_REVIEWS, body)
    return bool(review["status"]["allowed"])


async def _create(actors: Actors, body: Json) -> None:
    await actors.request("POST", path_of(body).rpartition("/")[0], body)
