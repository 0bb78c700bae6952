"""What Secrets and ConfigMaps hold: how it is sent, which keys it may have, and when it may change.

https://kubernetes.io/docs/concepts/configuration/secret/
"""

import base64
import binascii
import json
import re
from typing import Final

from app.local.cluster.apiserver.errors import Cause, bad_request, forbidden, invalid_value, required
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import Resource

_BYTES: Final = {"secrets": "data", "configmaps": "binaryData"}
"""Which map holds base64."""

_KEY: Final = "[-._a-zA-Z0-9]+"
_BAD_KEY: Final = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
    f"'KEY_NAME',  or 'key-name', regex used for validation is '{_KEY}')"
)
_LARGEST: Final = 1 << 20
_REQUIRED: Final = {
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
    "kubernetes.io/dockercfg": ".dockercfg",
}
_IMMUTABLE: Final = "field is immutable when `immutable` is set"


def stored(resource: Resource, obj: Object) -> Object:
    """The object as it is kept: a Secret's `stringData` goes into `data`, which it outranks.

    Raises:
        ApiError: 400 where what must be base64 is not.
    """
    field = _BYTES.get(resource.plural)
    if field is None:
        return obj
    for value in obj.get(field, {}).values():
        _require_base64(resource, value)
    if "stringData" not in obj or resource.plural != "secrets":
        return obj
    given = {key: base64.b64encode(text.encode()).decode() for key, text in obj["stringData"].items()}
    rest = {key: value for key, value in obj.items() if key != "stringData"}
    return rest | {"data": rest.get("data", {}) | given}


def causes(obj: Object) -> list[Cause]:
    """Why a new or changed Secret or ConfigMap is invalid."""
    found = [
        invalid_value(f"{field}[{key}]", json.dumps(key), _BAD_KEY)
        for field in ("data", "binaryData")
        for key in obj.get(field, {})
        if not re.fullmatch(_KEY, key)
    ]
    if _size(obj) > _LARGEST:
        found.append(Cause("FieldValueTooLong", f"Too long: may not be more than {_LARGEST} bytes", "data"))
    return found


def secret_causes(obj: Object) -> list[Cause]:
    """As `causes`, and what the Secret's type demands."""
    found = causes(obj)
    key = _REQUIRED.get(obj.get("type", ""))
    if key is None:
        return found
    value = obj.get("data", {}).get(key)
    if value is None:
        return [*found, required(f"data[{key}]")]
    try:
        json.loads(base64.b64decode(value))
    except ValueError:
        found.append(invalid_value(f"data[{key}]", '"<secret contents redacted>"', "invalid JSON"))
    return found


def change_causes(before: Object, after: Object) -> list[Cause]:
    """Why a change is refused: a Secret's type never changes, and nothing of an immutable object does."""
    found: list[Cause] = []
    if before.get("type") != after.get("type"):
        found.append(invalid_value("type", json.dumps(after.get("type")), "field is immutable"))
    if not before.get("immutable"):
        return found
    if not after.get("immutable"):
        found.append(forbidden("immutable", _IMMUTABLE))
    changed = (each for each in ("data", "binaryData") if before.get(each) != after.get(each))
    return found + [forbidden(each, _IMMUTABLE) for each in changed]


def _size(obj: Object) -> int:
    """Bytes of all values."""
    packed = obj.get(_BYTES["configmaps" if obj["kind"] == "ConfigMap" else "secrets"], {})
    plain = obj.get("data", {}) if obj["kind"] == "ConfigMap" else {}
    return sum(len(base64.b64decode(each)) for each in packed.values()) + sum(
        len(each.encode()) for each in plain.values()
    )


def _require_base64(resource: Resource, value: str) -> None:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise bad_request(
            f'{resource.kind} in version "v1" cannot be handled as a {resource.kind}: illegal base64 data'
        ) from error
