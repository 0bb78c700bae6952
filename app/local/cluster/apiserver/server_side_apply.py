"""Server-side apply: who manages which field, merging an applied configuration, and conflicts.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.local.cluster.apiserver.errors import ApiError
from app.local.cluster.apiserver.field_sets import (
    MISSING,
    FieldSets,
    Path,
    Paths,
    dotted,
    from_fields_v1,
    step_of,
    to_fields_v1,
    value_at,
    without,
)
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.schema import ANYTHING, Field, Schema

_NOT_MANAGED: Final = frozenset(
    {("f:apiVersion",), ("f:kind",), ("f:spec",), ("f:status",)}
    | {
        ("f:metadata", f"f:{name}")
        for name in (
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "resourceVersion",
            "generation",
            "managedFields",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        )
    }
)
BEFORE: Final = "before-first-apply"


@dataclass(frozen=True, slots=True)
class Manager:
    """Who writes, and how: the identity of a managedFields entry."""

    name: str
    operation: str
    api_version: str
    subresource: str = ""

    def __str__(self) -> str:
        text = f'"{self.name}"'
        if self.subresource:
            text += f' with subresource "{self.subresource}"'
        return f"{text} using {self.api_version}" if self.operation == "Update" else text


@dataclass(frozen=True, slots=True)
class Owned:
    """The fields of one manager, and when they were last written."""

    paths: Paths
    time: str


Owners = dict[Manager, Owned]


class Applier:
    """Server-side apply for the types of one schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._sets = FieldSets(schema)

    def apply(
        self, type_name: str, live: Object, applied: Object, *, manager: Manager, force: bool, now: str
    ) -> Object:
        """`live` after `manager` applied `applied`, with managedFields brought up to date.

        Raises:
            ApiError: 409 with every conflict, unless forced; 500 where two elements of a list have one key.
        """
        twice = self._sets.duplicate(type_name, applied)
        if twice is not None:
            where, step = dotted(twice[0]), dotted((twice[1],))
            what = f"{where}: duplicate entries for key {step}"
            raise ApiError(500, "", f"failed to create typed patch object: {what}")
        wanted = self._sets.of(type_name, applied) - _NOT_MANAGED
        owners = self._owners_of(type_name, live, manager)
        mine = owners.pop(manager, None)
        conflicts = _conflicts(live, applied, wanted, owners)
        if conflicts and not force:
            raise _conflict(conflicts)
        for owner, paths in conflicts.items():
            owners[owner] = Owned(owners[owner].paths - frozenset(paths), owners[owner].time)
        merged = self._merge(type_name, live, applied)
        given_up = mine.paths - wanted if mine else frozenset()
        merged = _prune(merged, given_up, wanted.union(*(owned.paths for owned in owners.values())))
        same = mine is not None and mine.paths == wanted and merged == live
        owners = {manager: mine if same and mine is not None else Owned(wanted, now), **owners}
        return with_owners(merged, owners)

    def created(self, type_name: str, obj: Object, *, manager: Manager, now: str, has_status: bool) -> Object:
        """A new object whose fields `manager` owns; a status that comes with it is nobody's."""
        owned = obj if not has_status else {name: value for name, value in obj.items() if name != "status"}
        paths = self._sets.of(type_name, owned) - _NOT_MANAGED
        return with_owners(obj, {manager: Owned(paths, now)})

    def updated(self, type_name: str, before: Object, after: Object, *, manager: Manager, now: str) -> Object:
        """`after` with the fields that a plain write changed handed over to `manager`."""
        owners = read_owners(before["metadata"].get("managedFields", []))
        old, new = self._sets.of(type_name, before), self._sets.of(type_name, after)
        changed = {path for path in new if value_at(before, path) != value_at(after, path)} - _NOT_MANAGED
        gone = old - new
        if not changed and not gone:
            return with_owners(after, owners)
        kept = {owner: Owned(owned.paths - changed - gone, owned.time) for owner, owned in owners.items()}
        if changed:
            mine = kept.get(manager, Owned(frozenset(), now))
            kept[manager] = Owned(mine.paths | changed, now)
        return with_owners(after, kept)

    def _owners_of(self, type_name: str, live: Object, manager: Manager) -> Owners:
        entries = live["metadata"].get("managedFields")
        if entries:
            return read_owners(entries)
        everything = self._sets.of(type_name, live) - _NOT_MANAGED
        if not everything:
            return {}
        before = Manager(BEFORE, "Update", manager.api_version, manager.subresource)
        return {before: Owned(everything, "")}

    def _merge(self, type_name: str, live: Object, applied: Object) -> Object:
        fields = self._schema.fields(type_name)
        result = dict(live)
        for name, value in applied.items():
            if value is not None:
                result[name] = self._merge_value(fields.get(name, ANYTHING), result.get(name, MISSING), value)
        return result

    def _merge_value(self, field: Field, live: Any, applied: Any) -> Any:
        if field.atomic or live is MISSING or type(live) is not type(applied):
            return applied
        if isinstance(applied, dict):
            if field.shape == "one":
                return self._merge(field.type, live, applied)
            element = Field(type=field.type)
            merged = {
                key: self._merge_value(element, live.get(key, MISSING), value)
                for key, value in applied.items()
            }
            return live | merged
        if isinstance(applied, list) and (field.keys or field.is_set):
            return self._merge_elements(field, live, applied)
        return applied

    def _merge_elements(self, field: Field, live: list[Any], applied: list[Any]) -> list[Any]:
        merged = {step_of(field, item): item for item in live}
        for item in applied:
            step = step_of(field, item)
            before = merged.get(step)
            merged[step] = (
                self._merge(field.type, before, item) if before is not None and field.keys else item
            )
        return list(merged.values())


def read_owners(entries: list[Mapping[str, Any]]) -> Owners:
    """managedFields, read."""
    return {
        Manager(
            entry.get("manager", ""),
            entry.get("operation", ""),
            entry.get("apiVersion", ""),
            entry.get("subresource", ""),
        ): Owned(from_fields_v1(entry.get("fieldsV1") or {}), entry.get("time", ""))
        for entry in entries
    }


def with_owners(obj: Object, owners: Owners) -> Object:
    """`obj` with managedFields written; managers that own nothing are dropped."""
    entries = []
    for manager, owned in owners.items():
        if owned.paths:
            entry = {
                "manager": manager.name,
                "operation": manager.operation,
                "apiVersion": manager.api_version,
                "time": owned.time,
                "fieldsType": "FieldsV1",
                "fieldsV1": to_fields_v1(owned.paths),
                "subresource": manager.subresource,
            }
            entries.append({key: value for key, value in entry.items() if value})
    if not entries:
        return without_owners(obj)
    return obj | {"metadata": obj["metadata"] | {"managedFields": entries}}


def without_owners(obj: Object) -> Object:
    """`obj` without managedFields."""
    if "managedFields" not in obj["metadata"]:
        return obj
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return obj | {"metadata": metadata}


def _conflicts(live: Object, applied: Object, wanted: Paths, owners: Owners) -> dict[Manager, list[Path]]:
    """By owner, the fields that it manages and that would get another value."""
    found: defaultdict[Manager, list[Path]] = defaultdict(list)
    for owner, owned in owners.items():
        for path in sorted(owned.paths & wanted):
            if path[-1][:2] == "f:" and value_at(live, path) not in (MISSING, value_at(applied, path)):
                found[owner].append(path)
    return dict(found)


def _prune(merged: Object, given_up: Paths, claimed: Paths) -> Object:
    """Take away what the manager no longer applies, unless somebody else claims it or something in it.

    Whole elements go before their fields: without its key an element could not be found any more.
    """
    for path in sorted(given_up - claimed, key=len):
        if not any(other[: len(path)] == path for other in claimed):
            merged = without(merged, path)
    return merged


def _conflict(conflicts: dict[Manager, list[Path]]) -> ApiError:
    pairs = [(owner, path) for owner, paths in conflicts.items() for path in paths]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {owner}", "field": dotted(path)}
        for owner, path in pairs
    ]
    if len(pairs) == 1:
        message = f"Apply failed with 1 conflict: conflict with {pairs[0][0]}: {dotted(pairs[0][1])}"
    else:
        lines = []
        for owner, paths in conflicts.items():
            lines += [f"conflicts with {owner}:", *(f"- {dotted(path)}" for path in paths)]
        message = f"Apply failed with {len(pairs)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", message, details={"causes": causes})
