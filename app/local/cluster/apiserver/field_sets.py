"""Which fields an object has, as managedFields writes them: sets of paths, and values at paths.

A path is a tuple of steps: `f:<field>`, `k:<keys as JSON>` for an element of a keyed list, `v:<JSON>` for a
member of a set. Atomic values end a path.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

import json
from collections.abc import Iterable
from typing import Any, Final

from app.local.cluster.apiserver.schema import ANYTHING, Field, Schema

Path = tuple[str, ...]
Paths = frozenset[Path]
MISSING: Final = object()
_DEFAULT_KEYS: Final = {"protocol": "TCP"}


class FieldSets:
    """Paths of objects of one schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def of(self, type_name: str, obj: dict[str, Any]) -> Paths:
        """Every leaf that `obj` states, and every element of its keyed lists."""
        found: set[Path] = set()
        self._struct(type_name, obj, (), found)
        return frozenset(found)

    def duplicate(self, type_name: str, obj: Any, path: Path = ()) -> tuple[Path, str] | None:
        """A keyed list with two elements of the same key, and that key's step; None where all is well."""
        for name, value in obj.items():
            field = self._schema.fields(type_name).get(name, ANYTHING)
            here = (*path, f"f:{name}")
            if isinstance(value, dict) and field.shape == "one":
                found = self.duplicate(field.type, value, here)
            elif isinstance(value, list) and (field.keys or field.is_set):
                found = self._duplicate_element(field, value, here)
            else:
                found = None
            if found is not None:
                return found
        return None

    def _duplicate_element(self, field: Field, items: list[Any], path: Path) -> tuple[Path, str] | None:
        steps = [step_of(field, item) for item in items]
        for at, step in enumerate(steps):
            if step in steps[:at]:
                return path, step
        nested = (
            self.duplicate(field.type, item, (*path, step))
            for item, step in zip(items, steps, strict=True)
            if field.keys
        )
        return next((found for found in nested if found is not None), None)

    def _struct(self, type_name: str, obj: dict[str, Any], path: Path, found: set[Path]) -> None:
        fields = self._schema.fields(type_name)
        for name, value in obj.items():
            self._value(fields.get(name, ANYTHING), value, (*path, f"f:{name}"), found)

    def _value(self, field: Field, value: Any, path: Path, found: set[Path]) -> None:
        if value is None:
            return
        if field.atomic or not value or not isinstance(value, dict | list):
            found.add(path)
        elif isinstance(value, dict):
            self._mapping(field, value, path, found)
        elif field.keys or field.is_set:
            self._elements(field, value, path, found)
        else:
            found.add(path)

    def _mapping(self, field: Field, value: dict[str, Any], path: Path, found: set[Path]) -> None:
        if field.shape == "one":
            self._struct(field.type, value, path, found)
            return
        element = Field(type=field.type)
        for key, item in value.items():
            self._value(element, item, (*path, f"f:{key}"), found)

    def _elements(self, field: Field, value: list[Any], path: Path, found: set[Path]) -> None:
        for item in value:
            step = step_of(field, item)
            found.add((*path, step))
            if field.keys:
                self._struct(field.type, item, (*path, step), found)


def step_of(field: Field, item: Any) -> str:
    """The step to an element of a keyed list or a set."""
    if not field.keys:
        return f"v:{_json(item)}"
    keys = {key: item.get(key, _DEFAULT_KEYS.get(key)) for key in sorted(field.keys)}
    return f"k:{_json({key: value for key, value in keys.items() if value is not None})}"


def value_at(obj: Any, path: Path) -> Any:
    """The value that a path leads to; MISSING where it leads nowhere."""
    for step in path:
        obj = _step(obj, step)
        if obj is MISSING:
            return MISSING
    return obj


def without(obj: Any, path: Path) -> Any:
    """A copy of `obj` in which the path leads nowhere."""
    step, rest = path[0], path[1:]
    if _step(obj, step) is MISSING:
        return obj
    if isinstance(obj, dict):
        name = step[2:]
        if not rest:
            return {key: value for key, value in obj.items() if key != name}
        return obj | {name: without(obj[name], rest)}
    at = _index(obj, step)
    changed = [without(obj[at], rest)] if rest else []
    return [*obj[:at], *changed, *obj[at + 1 :]]


def dotted(path: Path) -> str:
    """A path as conflicts print it: `.status.conditions[type="Ready"].status`."""
    return "".join(_dotted_step(step) for step in path)


def to_fields_v1(paths: Iterable[Path]) -> dict[str, Any]:
    """The paths as a FieldsV1 tree."""
    known = set(paths)
    tree: dict[str, Any] = {}
    for path in sorted(known):
        branch = tree
        for depth, step in enumerate(path, start=1):
            branch = branch.setdefault(step, {})
            if step[:2] == "k:" and path[:depth] in known:
                branch.setdefault(".", {})
    return tree


def from_fields_v1(tree: dict[str, Any], prefix: Path = ()) -> Paths:
    """The paths of a FieldsV1 tree."""
    found: set[Path] = set()
    for step, branch in tree.items():
        if step == ".":
            found.add(prefix)
        elif branch:
            found |= from_fields_v1(branch, (*prefix, step))
        else:
            found.add((*prefix, step))
    return frozenset(found)


def _step(obj: Any, step: str) -> Any:
    if isinstance(obj, dict):
        return obj.get(step[2:], MISSING) if step[:2] == "f:" else MISSING
    if isinstance(obj, list):
        at = _index(obj, step)
        return MISSING if at < 0 else obj[at]
    return MISSING


def _index(items: list[Any], step: str) -> int:
    wanted = json.loads(step[2:])
    for at, item in enumerate(items):
        if step[:2] == "v:":
            matches = item == wanted
        else:
            matches = isinstance(item, dict) and all(
                item.get(key, _DEFAULT_KEYS.get(key)) == value for key, value in wanted.items()
            )
        if matches:
            return at
    return -1


def _dotted_step(step: str) -> str:
    if step[:2] == "f:":
        return f".{step[2:]}"
    if step[:2] == "v:":
        return f"[={step[2:]}]"
    pairs = json.loads(step[2:]).items()
    return f"[{','.join(f'{key}={_json(value)}' for key, value in pairs)}]"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
