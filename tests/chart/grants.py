"""What RBAC objects grant, one by one."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.chart.rendering import Json

AUTHENTICATION = "extension-apiserver-authentication"
BUILT_IN: dict[str, list[Json]] = {
    "system:auth-delegator": [
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
        {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
    ],
    f"{AUTHENTICATION}-reader": [
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "verbs": ["get", "list", "watch"],
            "resourceNames": [AUTHENTICATION],
        },
    ],
}
"""Roles that Kubernetes has itself and that programs of ours are bound to."""


class Grant(NamedTuple):
    """One verb on one resource; an empty namespace means all, or none, an empty name any object."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str


def grants(all_objects: tuple[Json, ...], account: str) -> set[Grant]:
    """All that the roles which are bound to a service account let it do."""
    roles = {_key(each): each["rules"] for each in all_objects if each["kind"] in {"Role", "ClusterRole"}}
    found = set[Grant]()
    for each in all_objects:
        if account in {subject["name"] for subject in each.get("subjects", ())}:
            namespace = each["metadata"].get("namespace", "")
            reference = each["roleRef"]
            own = roles.get((reference["kind"], _place(reference["kind"], namespace), reference["name"]))
            found |= set(_granted(own or BUILT_IN[reference["name"]], namespace))
    return found


def _key(role: Json) -> tuple[str, str, str]:
    return role["kind"], role["metadata"].get("namespace", ""), role["metadata"]["name"]


def _place(kind: str, namespace: str) -> str:
    return namespace if kind == "Role" else ""


def _granted(rules: Iterable[Json], namespace: str) -> Iterator[Grant]:
    for rule in rules:
        for verb in rule["verbs"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for name in rule.get("resourceNames") or [""]:
                        yield Grant(verb, group, resource, namespace, name)
