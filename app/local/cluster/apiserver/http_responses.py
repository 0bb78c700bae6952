"""Answers in the form the client accepts: objects, lists and events as JSON, tables or metadata alone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from starlette.responses import Response

from app.local.cluster.apiserver import errors, event_groups
from app.local.cluster.apiserver.http_requests import Target
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import Resource
from app.local.cluster.apiserver.store import Change
from app.local.cluster.apiserver.tables import metadata_only, table

Form = Literal["object", "table", "metadata"]
_ENCODER = msgspec.json.Encoder()


def form_of(accept: str) -> Form:
    """The first form of the Accept header that we have. Raises ApiError 406."""
    for offer in accept.split(",") if accept else ["*/*"]:
        kind, *parameters = (part.strip() for part in offer.split(";"))
        if kind not in {"application/json", "application/*", "*/*"}:
            continue
        wanted = dict(parameter.partition("=")[::2] for parameter in parameters)
        match wanted.get("as", ""), wanted.get("v", "v1"):
            case "", _:
                return "object"
            case "Table", "v1":
                return "table"
            case (("PartialObjectMetadata" | "PartialObjectMetadataList"), "v1"):
                return "metadata"
            case _:
                continue
    raise errors.ApiError(
        406, "NotAcceptable", "only the following media types are accepted: application/json", details={}
    )


class View:
    """One resource in one form, at one moment."""

    def __init__(self, target: Target, form: Form, *, now: datetime, include: str = "Metadata") -> None:
        self._resource = target.resource
        self._form: Form = form
        self._now = now
        self._include = include

    def one(self, obj: Object) -> Object:
        """An object."""
        match self._form:
            case "table":
                return self._table([obj]) | {"metadata": {"resourceVersion": _version(obj)}}
            case "metadata":
                return metadata_only(obj)
            case _:
                return outward(self._resource, obj)

    def many(self, objects: Sequence[Object], metadata: Object) -> Object:
        """A list, with its metadata (resourceVersion, continue, remainingItemCount)."""
        match self._form:
            case "table":
                return self._table(list(objects)) | {"metadata": metadata}
            case "metadata":
                head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
                return head | {"metadata": metadata, "items": [metadata_only(obj) for obj in objects]}
            case _:
                head = {"kind": f"{self._resource.kind}List", "apiVersion": self._resource.api_version}
                return head | {"metadata": metadata, "items": [self._item(obj) for obj in objects]}

    def event(self, kind: str, obj: Object, change: Change | None, *, first: bool) -> bytes:
        """A watch event as one line; the JSON form of a change is encoded once for all watchers."""
        if self._form == "table":
            rows = table(self._resource.plural, [obj], now=self._now, columns=first, include=self._include)
            encoded = _ENCODER.encode(rows | {"metadata": {"resourceVersion": _version(obj)}})
        elif self._form == "metadata":
            encoded = _ENCODER.encode(metadata_only(obj))
        elif change is None or change.object is not obj:
            encoded = _ENCODER.encode(outward(self._resource, obj))
        else:
            group = self._resource.group
            encoded = change.encoded.get(group) or change.encoded.setdefault(
                group, _ENCODER.encode(outward(self._resource, obj))
            )
        return b'{"type":"%s","object":%s}\n' % (kind.encode(), encoded)

    def bookmark(self, version: int) -> bytes:
        """A bookmark: everything up to `version` was sent."""
        obj: Object = {"kind": self._resource.kind, "apiVersion": self._resource.api_version}
        metadata = {"resourceVersion": str(version), "creationTimestamp": None}
        if self._form == "metadata":
            obj = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        if self._form == "table":
            obj = table(self._resource.plural, [], now=self._now, columns=False)
            row = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
            obj |= {"rows": [{"cells": None, "object": row}]}
        return b'{"type":"BOOKMARK","object":%s}\n' % _ENCODER.encode(obj | {"metadata": metadata})

    def _table(self, objects: list[Object]) -> Object:
        return table(self._resource.plural, objects, now=self._now, include=self._include)

    def _item(self, obj: Object) -> Object:
        """Items of lists carry neither kind nor apiVersion."""
        shown = outward(self._resource, obj)
        return {name: value for name, value in shown.items() if name not in {"kind", "apiVersion"}}


def outward(resource: Resource, obj: Object) -> Object:
    """A stored object as its resource's group shows it."""
    return event_groups.to_new(obj) if resource.group == "events.k8s.io" else obj


def error_event(error: errors.ApiError) -> bytes:
    """A watch that cannot go on says so in an ERROR event."""
    return b'{"type":"ERROR","object":%s}\n' % _ENCODER.encode(error.status())


def json_response(body: Any, *, status: int = 200, warnings: Sequence[str] = ()) -> Response:
    """A JSON answer with `Warning` headers (RFC 9111 section 5.5, code 299)."""
    response = Response(_ENCODER.encode(body), status_code=status, media_type="application/json")
    for warning in warnings:
        text = "".join(each if each.isprintable() else " " for each in warning)
        text = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.append("Warning", f'299 - "{text.encode("ascii", "replace").decode()}"')
    return response


def error_response(error: errors.ApiError) -> Response:
    """A refusal as metav1.Status."""
    response = json_response(error.status(), status=error.status_code)
    if error.status_code in {429, 504}:
        response.headers["Retry-After"] = "1"
    return response


def success(resource: Resource, obj: Object) -> Object:
    """The Status that a finished deletion is answered with."""
    details = {
        "name": obj["metadata"]["name"],
        "group": resource.group,
        "kind": resource.plural,
        "uid": obj["metadata"]["uid"],
    }
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))
