"""JSON merge patch and strategic merge patch.

https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
"""

from collections.abc import Callable
from typing import Any, Final

from app.local.cluster.apiserver.errors import ApiError, bad_request
from app.local.cluster.apiserver.schema import ANYTHING, Field, Schema

_ORDER: Final = "$setElementOrder/"
_DELETE: Final = "$deleteFromPrimitiveList/"
_RETAIN: Final = "$retainKeys"
_DIRECTIVE: Final = "$patch"


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


class Strategic:
    """Strategic merge for the types of one schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def apply(self, type_name: str, target: dict[str, Any], patch: Any) -> dict[str, Any]:
        """`target` after `patch`; neither is changed.

        Raises:
            ApiError: 400 where the patch is no object or a directive is unknown; 500 where a keyed list's
                element lacks its key, as the real server answers.
        """
        if not isinstance(patch, dict):
            raise bad_request("the patch must be a JSON object")
        return self._object(type_name, target, patch)

    def _object(self, type_name: str, target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
        directive = patch.get(_DIRECTIVE)
        if directive == "replace":
            return {key: value for key, value in patch.items() if key != _DIRECTIVE}
        if directive == "delete":
            return {}
        if directive not in {None, "merge"}:
            raise bad_request(f"unknown patch type: {directive}")
        result = dict(target)
        if _RETAIN in patch:
            result = {key: value for key, value in result.items() if key in patch[_RETAIN]}
        fields = self._schema.fields(type_name)
        for key, value in patch.items():
            if not key.startswith("$"):
                self._assign(result, key, value, patch, fields.get(key, ANYTHING))
        self._only_directives(result, patch, fields)
        return result

    def _assign(
        self, result: dict[str, Any], key: str, value: Any, patch: dict[str, Any], field: Field
    ) -> None:
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and not field.replace:
            inner = field.type if field.shape == "one" else ""
            if field.shape == "map" and self._schema.is_struct(field.type):
                result[key] = value
            else:
                before = result.get(key)
                result[key] = self._object(inner, before if isinstance(before, dict) else {}, value)
        elif isinstance(value, list) and field.merge_key is not None:
            before = result.get(key)
            result[key] = self._list(field, before if isinstance(before, list) else [], value, patch, key)
        else:
            result[key] = value

    def _only_directives(
        self, result: dict[str, Any], patch: dict[str, Any], fields: dict[str, Field]
    ) -> None:
        """Directives for lists that the patch itself does not mention."""
        for directive in patch:
            for prefix in (_ORDER, _DELETE):
                key = directive.removeprefix(prefix)
                if key != directive and key not in patch and isinstance(result.get(key), list):
                    result[key] = self._list(fields.get(key, ANYTHING), result[key], [], patch, key)

    def _list(
        self, field: Field, target: list[Any], patch: list[Any], directives: dict[str, Any], key: str
    ) -> list[Any]:
        order = directives.get(_ORDER + key, patch)
        if not field.merge_key:
            gone = directives.get(_DELETE + key, [])
            kept = [item for item in target if item not in gone]
            merged = kept + [item for item in patch if item not in kept]
            return _ordered(merged, wanted=order, before=target, key_of=lambda item: item)
        if any(isinstance(item, dict) and item.get(_DIRECTIVE) == "replace" for item in patch):
            return [item for item in patch if item.get(_DIRECTIVE) != "replace"]
        merge_key = field.merge_key
        merged = self._keyed(field, merge_key, target, patch)
        wanted, before = ([item.get(merge_key) for item in items] for items in (order, target))
        return _ordered(merged, wanted=wanted, before=before, key_of=lambda item: item.get(merge_key))

    def _keyed(self, field: Field, merge_key: str, target: list[Any], patch: list[Any]) -> list[Any]:
        result = list(target)
        for item in patch:
            if not isinstance(item, dict) or merge_key not in item:
                raise ApiError(500, "", f"map: {item} does not contain declared merge key: {merge_key}")
            places = [at for at, each in enumerate(result) if each.get(merge_key) == item[merge_key]]
            if item.get(_DIRECTIVE) == "delete":
                result = [each for each in result if each.get(merge_key) != item[merge_key]]
            elif places:
                result[places[0]] = self._object(field.type, result[places[0]], item)
            else:
                result.append(self._object(field.type, {}, item))
        return result


def _ordered(
    items: list[Any], *, wanted: list[Any], before: list[Any], key_of: Callable[[Any], Any]
) -> list[Any]:
    """`items` as the API server orders a merged list.

    Those in `wanted` come in its order; the others come in theirs, each ahead of a wanted one only where it
    was ahead of it `before`: new elements lead.
    """
    chosen = sorted(
        (item for item in items if key_of(item) in wanted), key=lambda item: wanted.index(key_of(item))
    )
    others = [item for item in items if key_of(item) not in wanted]
    places = {repr(key): place for place, key in enumerate(before)}
    result = []
    for item in chosen:
        place = places.get(repr(key_of(item)), -1)
        while others and 0 <= places.get(repr(key_of(others[0])), len(before)) < place:
            result.append(others.pop(0))
        result.append(item)
    return result + others
