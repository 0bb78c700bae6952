"""Discovery: which groups, versions and resources there are, and the little OpenAPI that kubectl asks for.

https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
"""

from typing import Final

from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import GROUPS, RESOURCES, Resource

AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
VERSION: Final[Object] = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.2+spillway-embedded",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
METRICS_GROUP: Final = "metrics.k8s.io"
METRICS_VERSION: Final = "v1beta1"
_METRICS: Final = (("nodes", "NodeMetrics", False), ("pods", "PodMetrics", True))
"""Plural, kind and whether it is namespaced: a group of its own kind, read only and never stored."""

_STATUS_VERBS: Final = ["get", "patch", "update"]
_SUBRESOURCES: Final[dict[str, tuple[str, str, str, list[str]]]] = {
    "scale": ("autoscaling", "v1", "Scale", _STATUS_VERBS),
    "log": ("", "v1", "Pod", ["get"]),
    "approval": ("certificates.k8s.io", "v1", "CertificateSigningRequest", _STATUS_VERBS),
    "exec": ("", "v1", "PodExecOptions", ["create", "get"]),
    "attach": ("", "v1", "PodAttachOptions", ["create", "get"]),
    "portforward": ("", "v1", "PodPortForwardOptions", ["create", "get"]),
    "binding": ("", "v1", "Binding", ["create"]),
    "eviction": ("policy", "v1", "Eviction", ["create"]),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ["create"]),
    "finalize": ("", "v1", "Namespace", ["update"]),
}
"""Group, version and kind of the body, and what may be done; a status is its own object."""


def api_versions() -> Object:
    """GET /api."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group_list() -> Object:
    """GET /apis."""
    groups = [
        {key: value for key, value in group(name).items() if key not in {"kind", "apiVersion"}}
        for name in (*GROUPS, METRICS_GROUP)
    ]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(name: str) -> Object:
    """GET /apis/<group>."""
    number = METRICS_VERSION if name == METRICS_GROUP else "v1"
    version = {"groupVersion": f"{name}/{number}", "version": number}
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": name,
        "versions": [version],
        "preferredVersion": version,
    }


def resource_list(name: str) -> Object:
    """GET /api/v1 (for the group "") or /apis/<group>/v1."""
    found = [entry for each in RESOURCES if each.group == name for entry in _entries(each)]
    version = f"{name}/v1" if name else "v1"
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}


def metrics_list() -> Object:
    """GET /apis/metrics.k8s.io/v1beta1."""
    found = [
        {"name": plural, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get", "list"]}
        for plural, kind, namespaced in _METRICS
    ]
    version = f"{METRICS_GROUP}/{METRICS_VERSION}"
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": found}


def aggregated_metrics() -> Object:
    """The same within GET /apis with the aggregated form accepted."""
    resources = [
        {
            "resource": plural,
            "responseKind": {"group": METRICS_GROUP, "version": METRICS_VERSION, "kind": kind},
            "scope": "Namespaced" if namespaced else "Cluster",
            "singularResource": "",
            "verbs": ["get", "list"],
        }
        for plural, kind, namespaced in _METRICS
    ]
    version = {"version": METRICS_VERSION, "resources": resources, "freshness": "Current"}
    return {"metadata": {"name": METRICS_GROUP}, "versions": [version]}


def aggregated(names: tuple[str, ...]) -> Object:
    """GET /api or /apis with the aggregated form accepted."""
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_aggregated_group(name) for name in names],
    }


def openapi_index() -> Object:
    """GET /openapi/v3."""
    paths = {f"apis/{name}/v1": {"serverRelativeURL": f"/openapi/v3/apis/{name}/v1"} for name in GROUPS}
    return {"paths": {"api/v1": {"serverRelativeURL": "/openapi/v3/api/v1"}, **paths}}


def openapi(name: str) -> Object:
    """GET /openapi/v3/api/v1 or /openapi/v3/apis/<group>/v1.

    kubectl only looks whether PATCH of a kind knows `fieldValidation`, and then leaves validation to us.
    """
    paths = {}
    for each in RESOURCES:
        if each.group == name and not each.review:
            scope = "namespaces/{namespace}/" if each.namespaced else ""
            paths[f"{each.prefix}/{scope}{each.plural}/{{name}}"] = {"patch": _patch_operation(each)}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": paths,
    }


def _patch_operation(resource: Resource) -> Object:
    names = ("dryRun", "fieldManager", "fieldValidation", "force")
    return {
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": {"group": resource.group, "version": "v1", "kind": resource.kind},
        "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names],
        "responses": {"200": {"description": "OK"}},
    }


def _entries(resource: Resource) -> list[Object]:
    entry: Object = {
        "name": resource.plural,
        "singularName": resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short:
        entry["shortNames"] = list(resource.short)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    return [entry, *(_subresource_entry(resource, name) for name in resource.subresources)]


def _subresource_entry(resource: Resource, name: str) -> Object:
    group_name, version, kind, verbs = _subresource(resource, name)
    entry: Object = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind,
        "verbs": verbs,
    }
    return entry if group_name == resource.group else {"group": group_name, "version": version} | entry


def _subresource(resource: Resource, name: str) -> tuple[str, str, str, list[str]]:
    return _SUBRESOURCES.get(name, (resource.group, "v1", resource.kind, _STATUS_VERBS))


def _aggregated_group(name: str) -> Object:
    resources = [_aggregated_resource(each) for each in RESOURCES if each.group == name]
    version = {"version": "v1", "resources": resources, "freshness": "Current"}
    return {"metadata": {"name": name} if name else {}, "versions": [version]}


def _aggregated_resource(resource: Resource) -> Object:
    subresources = []
    for name in resource.subresources:
        group_name, version, kind, verbs = _subresource(resource, name)
        shown = {"group": group_name, "version": version, "kind": kind}
        subresources.append({"subresource": name, "responseKind": shown, "verbs": verbs})
    entry: Object = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": "v1", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.kind.lower(),
        "verbs": list(resource.verbs),
        "shortNames": list(resource.short),
        "categories": list(resource.categories),
        "subresources": subresources,
    }
    return {key: value for key, value in entry.items() if value}
