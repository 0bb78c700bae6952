"""The pods of manifests: as they stand, and as the controllers that the manifests describe would make them.

Only what a controller changes and Fargate cares about is followed: the owner of a DaemonSet's pods, the host
name and the claims of a StatefulSet's, the host name of an indexed Job's.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
import yaml

from app.model.meta import ObjectMeta
from app.model.pod import Pod
from app.model.wire import Json


class ManifestError(ValueError):
    """The text is no manifest; the message says what is wrong with it."""


class Planned(msgspec.Struct, frozen=True):
    """A pod that a manifest asks for.

    Attributes:
        kind: of the object that asks, as `Deployment`.
        namespace: the object's; empty where it names none.
        name: the object's.
        pod: one of its pods.
        spec: that pod's spec as JSON, with the fields that a `Pod` does not hold.
    """

    kind: str
    namespace: str
    name: str
    pod: Pod
    spec: Json


class _Loader(yaml.SafeLoader):
    """YAML as kubectl reads it: a date is a text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

_AMOUNTS: Final = frozenset({"requests", "limits", "overhead"})
_AMOUNT: Final = frozenset({"sizeLimit", "divisor"})


def planned(text: str) -> Iterator[Planned | ManifestError]:
    """Every pod that a text of YAML documents or of JSON asks for; other objects are passed over.

    What is wrong with one document takes nothing from the others, but behind what is no YAML nothing is read.
    """
    try:
        for document in yaml.load_all(text, Loader=_Loader):
            yield from _of_document(document)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        yield ManifestError(f"not YAML: {' '.join(str(error).split())}")


def declared(text: str) -> dict[str, ObjectMeta]:
    """The metadata of every Namespace in the text, by name; what cannot be read is `planned`'s to tell."""
    found = {}
    try:
        for document in yaml.load_all(text, Loader=_Loader):
            for body in _namespaces(document):
                name = str(_at(body, "metadata", "name"))
                labels, annotations = (
                    _texts(_at(body, "metadata", each)) for each in ("labels", "annotations")
                )
                found[name] = ObjectMeta(name=name, labels=labels, annotations=annotations)
    except (yaml.YAMLError, RecursionError, ValueError):
        return found
    return found


def _texts(value: Json) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else ()
    return {str(key): str(each) for key, each in pairs}


def _namespaces(document: Json) -> Iterator[dict[str, Json]]:
    if not isinstance(document, dict):
        return
    items = document.get("items")
    if document.get("kind") == "Namespace":
        yield document
    elif isinstance(items, list):
        for item in items:
            yield from _namespaces(item)


def _of_document(document: Json) -> Iterator[Planned | ManifestError]:
    try:
        objects = tuple(_objects(document))
    except ManifestError as error:
        yield error
        return
    for each in objects:
        try:
            found = _planned(each)
        except ManifestError as error:
            yield error
        else:
            yield found


def _objects(document: Json) -> Iterator[dict[str, Json]]:
    """The objects with pods of one document, a List's one by one."""
    if document is None:
        return
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise ManifestError("a document is no Kubernetes object: it has no kind")
    items = document.get("items")
    if document["kind"].endswith("List") and isinstance(items, list):
        for item in items:
            yield from _objects(item)
    elif _template(document) is not None:
        yield document


def _template(body: Mapping[str, Json]) -> dict[str, Json] | None:
    """The pod, or the template of the pods, that an object holds."""
    if body["kind"] == "Pod":
        return dict(body)
    spec = body.get("spec")
    inner = _at(spec, "jobTemplate", "spec") if body["kind"] == "CronJob" else spec
    template = body.get("template") if body["kind"] == "PodTemplate" else _at(inner, "template")
    return template if isinstance(template, dict) and isinstance(template.get("spec"), dict) else None


def _at(value: Json, *names: str) -> Json:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _planned(body: dict[str, Json]) -> Planned:
    kind, name = body["kind"], str(_at(body, "metadata", "name") or "")
    namespace = str(_at(body, "metadata", "namespace") or "")
    template = _written(_template(body))
    if not isinstance(template.get("spec"), dict):
        raise ManifestError(f"{kind} {name}: it has no spec")
    spec = _made(body, kind=kind, name=name, spec=template["spec"])
    metadata = {"name": name, "namespace": namespace, **_given(template.get("metadata"))}
    if kind == "DaemonSet":
        metadata["ownerReferences"] = [{"kind": kind, "name": name, "controller": True}]
    try:
        pod = msgspec.convert({"metadata": metadata, "spec": spec}, Pod)
    except msgspec.ValidationError as error:
        raise ManifestError(f"{kind} {name}: {error}") from error
    return Planned(kind, namespace, name, pod, spec)


def _given(metadata: Json) -> dict[str, Json]:
    kept = ("name", "namespace", "labels", "annotations")
    return {key: metadata[key] for key in kept if key in metadata} if isinstance(metadata, dict) else {}


def _made(body: Mapping[str, Json], *, kind: str, name: str, spec: dict[str, Json]) -> dict[str, Json]:
    """The template's spec with what the controller adds to its first pod."""
    indexed = _at(body, "spec", "completionMode") == "Indexed" or (
        _at(body, "spec", "jobTemplate", "spec", "completionMode") == "Indexed"
    )
    if kind == "StatefulSet":
        volumes = (*_claims(body, name=name), *_listed(spec.get("volumes")))
        own = {"hostname": f"{name}-0", "subdomain": _at(body, "spec", "serviceName") or ""}
        return {**spec, **own, "volumes": list(_first_of_each_name(volumes))}
    if indexed:
        return {**spec, "hostname": f"{name}-0"}
    return spec


def _claims(body: Mapping[str, Json], *, name: str) -> Iterator[dict[str, Json]]:
    for template in _listed(_at(body, "spec", "volumeClaimTemplates")):
        claim = str(_at(template, "metadata", "name") or "")
        yield {"name": claim, "persistentVolumeClaim": {"claimName": f"{claim}-{name}-0"}}


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _first_of_each_name(volumes: Iterable[Json]) -> Iterator[Json]:
    """A claim of a StatefulSet wins over a volume of the same name."""
    seen = set()
    for volume in volumes:
        key = str(_at(volume, "name"))
        if key not in seen:
            seen.add(key)
            yield volume


def _written(value: Any) -> Any:
    """The value as an API server would write it: without nulls, and amounts as texts."""
    if isinstance(value, list):
        return [_written(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _amounts(key, _written(each)) for key, each in value.items() if each is not None}


def _amounts(key: str, value: Any) -> Any:
    """Kubernetes takes amounts as numbers, too: `cpu: 1`."""
    if key in _AMOUNTS and isinstance(value, dict):
        return {name: _text(each) for name, each in value.items()}
    return _text(value) if key in _AMOUNT else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
