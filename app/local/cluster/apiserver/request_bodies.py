"""Bodies of write requests: decoded, and checked against the request and against what they would replace."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from app.local.cluster.apiserver import errors, stored_data
from app.local.cluster.apiserver.decoding import Decoder
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import Resource
from app.local.cluster.apiserver.schema import Schema
from app.local.cluster.apiserver.store import Key

_CONDITIONAL: Final = frozenset({"leases", "poddisruptionbudgets", "mutatingwebhookconfigurations"})
"""Resources whose PUT must name the resourceVersion that it replaces."""


class Options(msgspec.Struct, kw_only=True):
    """What a write request says beside its body; `warnings` collects what the answer must tell."""

    dry_run: bool = False
    manager: str = "embedded"
    force: bool = False
    field_validation: Literal["Ignore", "Warn", "Strict"] = "Warn"
    warnings: list[str] = msgspec.field(default_factory=list)
    user: Mapping[str, Any] = msgspec.field(default_factory=dict)


def decode(schema: Schema, resource: Resource, body: Any, options: Options) -> Object:
    """The body as an object of the resource; unknown fields become warnings, or 400 when strict."""
    match_kind(resource, body)
    decoder = Decoder(schema)
    decoded = decoder.decode(resource, body)
    complaints = [f'unknown field "{path}"' for path in decoder.unknown]
    if complaints and options.field_validation == "Strict":
        raise errors.bad_request(
            f'{resource.kind} in version "v1" cannot be handled as a {resource.kind}: '
            f"strict decoding error: {', '.join(complaints)}"
        )
    if options.field_validation == "Warn":
        options.warnings.extend(each for each in complaints if each not in options.warnings)
    plain = stored_data.stored(resource, decoded)
    return {"kind": resource.kind, "apiVersion": resource.api_version} | plain


def applied(
    schema: Schema, resource: Resource, key: Key, body: Any, options: Options, subresource: str
) -> Object:
    """The configuration that is applied, checked and decoded; its defaults are not filled in."""
    if not options.manager:
        cause = errors.required("fieldManager", "is required for apply patch")
        raise errors.invalid("PatchOptions.meta.k8s.io", "", [cause])
    if not isinstance(body, dict) or "apiVersion" not in body or "kind" not in body:
        raise errors.bad_request("invalid object type: /, Kind=")
    match_kind(resource, body)
    decoder = Decoder(schema, whole=False)
    configuration = decoder.decode(resource, body)
    metadata = configuration.setdefault("metadata", {})
    where = f"{key[0]}/{key[1]}; {resource.api_version}, Kind={resource.kind}"
    if decoder.unknown:
        what = f".{decoder.unknown[0]}: field not declared in schema"
        raise errors.ApiError(500, "", f"failed to create typed patch object ({where}): {what}")
    if "managedFields" in body.get("metadata", {}):
        raise errors.bad_request("metadata.managedFields must be nil")
    if metadata.setdefault("name", key[1]) != key[1]:
        raise errors.bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({key[1]})"
        )
    ignored = "spec" if subresource == "status" else "status" if "status" in resource.subresources else ""
    return {name: value for name, value in configuration.items() if name != ignored}


def match_preconditions(resource: Resource, before: Object, after: Object) -> None:
    """A PUT's name, uid and version against what it would replace. Raises ApiError 400, 409, 422."""
    metadata, name = after.setdefault("metadata", {}), before["metadata"]["name"]
    if metadata.get("name", name) != name:
        raise errors.bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
        )
    uid = metadata.get("uid", "")
    real = before["metadata"]["uid"]
    if uid not in {"", real}:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {real}"
        raise errors.conflict(resource.qualified, name, why)
    if resource.plural in _CONDITIONAL and not metadata.get("resourceVersion"):
        cause = errors.invalid_value("metadata.resourceVersion", "0", "must be specified for an update")
        raise errors.invalid(resource.qualified, name, [cause])
    match_version(resource, before, after)


def match_version(resource: Resource, before: Object, after: Object) -> None:
    """The version that a write names, where it names one. Raises ApiError 409."""
    version = after.get("metadata", {}).get("resourceVersion", "")
    if version not in {"", "0", before["metadata"]["resourceVersion"]}:
        raise errors.modified(resource.qualified, before["metadata"]["name"])


def match_kind(resource: Resource, body: Any) -> None:
    """Whether the body is what the path says. Raises ApiError 400."""
    if not isinstance(body, dict):
        raise errors.bad_request(
            f"couldn't get version/kind; json parse error: the body must be a {resource.kind}"
        )
    kind, version = body.get("kind", resource.kind), body.get("apiVersion", resource.api_version)
    if kind != resource.kind:
        raise errors.bad_request(
            f'{kind} in version "v1" cannot be handled as a {resource.kind}: '
            f"converting (v1.{kind}) to (core.{resource.kind}): unknown conversion"
        )
    if version != resource.api_version:
        raise errors.bad_request(
            f"the API version in the data ({version}) does not match the expected API version "
            f"({resource.api_version})"
        )
