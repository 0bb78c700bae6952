"""HTTP requests to the API server, understood: which resource, which object, which answer is wanted.

https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
"""

from typing import Any, Final

import msgspec
from starlette.requests import Request

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.deletion import DeleteOptions, Propagation
from app.local.cluster.apiserver.request_bodies import Options
from app.local.cluster.apiserver.resources import BY_PATH, Resource
from app.local.cluster.apiserver.write_path import PatchKind

PATCH_KINDS: Final[dict[str, PatchKind]] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
    "application/apply-patch+json": "apply",
}
_PROPAGATIONS: Final = ("Foreground", "Background", "Orphan", "nil")
_DEEPEST: Final = 3
"""plural/name/subresource"""
_NAMESPACE_PARTS: Final = frozenset({"status", "finalize"})


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a path names; a name is missing for collections."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def target_of(path: str) -> Target:
    """What the path names. Raises ApiError 404 for a path that nothing has."""
    group, version, *rest = _parts(path)
    if version != "v1":
        raise errors.no_such_resource()
    namespace = ""
    match rest:
        case ["namespaces", inside, plural, *_] if plural not in _NAMESPACE_PARTS:
            namespace, rest = inside, rest[2:]
    resource = BY_PATH.get((group, rest[0])) if rest else None
    if resource is None or len(rest) > _DEEPEST or (namespace and not resource.namespaced):
        raise errors.no_such_resource()
    name, subresource = (*rest[1:], "", "")[:2]
    if subresource and subresource not in resource.subresources:
        raise errors.no_such_resource()
    if name and resource.namespaced and not namespace:
        raise errors.no_such_resource()
    return Target(resource=resource, namespace=namespace, name=name, subresource=subresource)


def _parts(path: str) -> list[str]:
    steps = [step for step in path.split("/") if step]
    if steps[:1] == ["api"] and steps[1:]:
        return ["", *steps[1:]]
    if steps[:1] == ["apis"] and steps[2:]:
        return steps[1:]
    raise errors.no_such_resource()


async def body_of(request: Request, resource: Resource) -> Any:
    """The JSON (or, for apply, YAML) body. Raises ApiError 400, 415."""
    kind = media_type(request)
    if kind not in {"", "application/json", *PATCH_KINDS}:
        accepted = "accepted media types include: application/json"
        if kind == "application/vnd.kubernetes.protobuf":
            accepted += (
                "; the embedded API server speaks no protobuf: use `kubectl apply`, not `kubectl create`"
                " with a generator, or a client that sends JSON"
            )
        raise errors.unsupported_media_type(f"the body of the request was in an unknown format - {accepted}")
    content = await request.body()
    if not content:
        return {}
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as why:
        if kind == "application/apply-patch+yaml":
            return _yaml(content)
        raise errors.bad_request(
            f"the object provided is unrecognized (must be of type {resource.kind}): "
            f"couldn't get version/kind; json parse error: {why} ({content[:40].decode(errors='replace')})"
        ) from why


def _yaml(content: bytes) -> Any:
    try:
        return msgspec.yaml.decode(content)
    except msgspec.DecodeError as why:
        raise errors.bad_request(f"error decoding YAML: {why}") from why


def media_type(request: Request) -> str:
    """The Content-Type without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip()


def patch_kind(request: Request) -> PatchKind:
    """Which patch the Content-Type announces. Raises ApiError 415."""
    kind = PATCH_KINDS.get(media_type(request))
    if kind is None:
        raise errors.ApiError(
            415,
            "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
            + ", ".join(PATCH_KINDS),
            details={},
        )
    return kind


def write_options(request: Request, *, user: dict[str, Any], applies: bool = False) -> Options:
    """The query parameters of a write. Raises ApiError 422 for a dryRun other than All."""
    query = request.query_params
    _dry_run(query.getlist("dryRun"), "PatchOptions" if request.method == "PATCH" else "CreateOptions")
    agent = request.headers.get("user-agent", "unknown").partition("/")[0]
    validation = query.get("fieldValidation", "Warn")
    return Options(
        dry_run=bool(query.getlist("dryRun")),
        manager=query.get("fieldManager", "" if applies else agent),
        force=query.get("force", "").lower() in {"true", "1"},
        field_validation="Strict"
        if validation == "Strict"
        else "Ignore"
        if validation == "Ignore"
        else "Warn",
        user=user,
    )


def delete_options(request: Request, body: Any) -> DeleteOptions:
    """DeleteOptions of the body, or else of the query. Raises ApiError 400, 422."""
    query = request.query_params
    given = body if isinstance(body, dict) else {}
    dry_run = given.get("dryRun") or query.getlist("dryRun")
    _dry_run(dry_run, "DeleteOptions")
    propagation = given.get("propagationPolicy") or query.get("propagationPolicy", "")
    if propagation and propagation not in _PROPAGATIONS:
        cause = errors.unsupported("propagationPolicy", propagation, _PROPAGATIONS)
        raise errors.invalid("DeleteOptions.meta.k8s.io", "", [cause])
    grace = given.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    preconditions = given.get("preconditions") or {}
    return DeleteOptions(
        grace_seconds=None if grace is None else integer(str(grace)),
        uid=preconditions.get("uid") or "",
        resource_version=preconditions.get("resourceVersion") or "",
        propagation="" if propagation == "nil" else msgspec.convert(propagation, Propagation),
        dry_run=bool(dry_run),
    )


def integer(text: str) -> int:
    """A whole number in a query. Raises ApiError 400 in Go's words."""
    try:
        return int(text)
    except ValueError:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def version_of(request: Request) -> int | None:
    """The resourceVersion asked for; None where it is left open. Raises ApiError 400."""
    text = request.query_params.get("resourceVersion", "")
    if text in {"", "0"}:
        return None
    if not text.isdigit():
        raise errors.bad_request(
            f'invalid resource version: resourceVersion: Invalid value: "{text}": '
            f'strconv.ParseUint: parsing "{text}": invalid syntax'
        )
    return int(text)


def is_true(request: Request, name: str) -> bool:
    """A boolean of the query."""
    return request.query_params.get(name, "").lower() in {"true", "1"}


def _dry_run(values: list[str], kind: str) -> None:
    if any(value != "All" for value in values):
        cause = errors.Cause(
            "FieldValueNotSupported",
            f'Unsupported value: {msgspec.json.encode(values).decode()}: supported values: "All"',
            "dryRun",
        )
        raise errors.invalid(f"{kind}.meta.k8s.io", "", [cause])
