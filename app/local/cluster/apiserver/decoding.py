"""JSON to the form a Kubernetes type has: unknown fields dropped and told of, values canonical.

As Go's decoder does: null is absence, empty lists and maps vanish, quantities and times take their canonical
form, and a value of the wrong type is 400.
https://kubernetes.io/docs/reference/using-api/api-concepts/#setting-the-field-validation-level
"""

import re
from copy import deepcopy
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from app.local.cluster.apiserver.errors import ApiError, bad_request
from app.local.cluster.apiserver.resources import Resource
from app.local.cluster.apiserver.schema import Field, Schema
from app.model.quantity import QuantityError, bytes_text, exact
from app.model.times import rfc3339, rfc3339_micro

_GO_TYPES: Final = {
    "string": "string",
    "integer": "int32",
    "number": "float64",
    "boolean": "bool",
    "Time": "v1.Time",
    "MicroTime": "v1.MicroTime",
    "Quantity": "resource.Quantity",
    "IntOrString": "intstr.IntOrString",
}
_PYTHON_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "Time": (str,),
    "MicroTime": (str,),
    "Quantity": (str, int, float),
    "IntOrString": (str, int),
}
_SECONDS: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_MICROS: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
_ALWAYS_WRITTEN: Final[dict[str, dict[str, Any]]] = {
    "core.NodeCondition": {"lastHeartbeatTime": None, "lastTransitionTime": None},
    "core.PodCondition": {"lastProbeTime": None, "lastTransitionTime": None},
    "core.ContainerStatus": {
        "image": "",
        "imageID": "",
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "state": {},
    },
    "core.ContainerStateRunning": {"startedAt": None},
    "core.ContainerStateTerminated": {"exitCode": 0, "finishedAt": None, "startedAt": None},
    "core.Event": {
        "eventTime": None,
        "firstTimestamp": None,
        "lastTimestamp": None,
        "reportingComponent": "",
        "reportingInstance": "",
        "source": {},
    },
    "core.Container": {"name": "", "resources": {}},
}
"""Fields that Go writes even where nobody set them: a null time is what clients really meet."""
_DECIMAL_SUFFIXES: Final = (("E", 18), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3))


class _Mismatch(Exception):
    """The JSON does not fit the type; its text is what Go's decoder says."""


class Decoder:
    """One pass over one object; `unknown` collects the paths of fields that the type does not have.

    `whole` says that the object is stored as it comes out, so that fields which are always written appear.
    """

    def __init__(self, schema: Schema, *, whole: bool = True) -> None:
        self._schema = schema
        self._always_written = _ALWAYS_WRITTEN if whole else {}
        self.unknown: list[str] = []

    def decode(self, resource: Resource, body: Any, *, type_name: str = "") -> dict[str, Any]:
        """`body` as an object of `resource` (or of `type_name`); the argument is left as it is.

        Raises:
            ApiError: 400 where a value has the wrong type.
        """
        try:
            decoded = self._struct(type_name or resource.type, body, "", "")
        except _Mismatch as mismatch:
            raise _undecodable(resource, str(mismatch)) from None
        return decoded

    def _struct(self, type_name: str, value: Any, path: str, dotted: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            what = f"{_json_type(value)} into Go value of type {_go_name(type_name)}"
            raise _Mismatch(f"json: cannot unmarshal {what}")
        fields = self._schema.fields(type_name)
        written = self._always_written.get(type_name)
        out: dict[str, Any] = deepcopy(written) if written else {}
        for name, item in value.items():
            field = fields.get(name)
            if field is None:
                self.unknown.append(f"{path}{name}")
            elif item is not None:
                decoded = self._field(type_name, field, item, path + name, dotted + name)
                if decoded or field.shape == "one":
                    out[name] = decoded
        return out

    def _field(self, owner: str, field: Field, value: Any, path: str, dotted: str) -> Any:
        if field.shape == "one":
            return self._one(owner, field.type, value, path, dotted)
        expected = list if field.shape == "list" else dict
        if not isinstance(value, expected):
            container = "[]" if field.shape == "list" else "map[string]"
            raise _Mismatch(_misfit(value, owner, dotted, container + _go_name(field.type)))
        if isinstance(value, dict):
            return {
                key: self._one(owner, field.type, item, f"{path}.{key}", dotted)
                for key, item in value.items()
                if item is not None
            }
        return [
            self._one(owner, field.type, item, f"{path}[{index}]", dotted) for index, item in enumerate(value)
        ]

    def _one(self, owner: str, type_name: str, value: Any, path: str, dotted: str) -> Any:
        if self._schema.is_struct(type_name):
            if not isinstance(value, dict):
                raise _Mismatch(_misfit(value, owner, dotted, _go_name(type_name)))
            return self._struct(type_name, value, f"{path}.", f"{dotted}.")
        allowed = _PYTHON_TYPES.get(type_name)
        if allowed is None:
            return value
        if not isinstance(value, allowed) or (isinstance(value, bool) and type_name != "boolean"):
            raise _Mismatch(_misfit(value, owner, dotted, _go_name(type_name)))
        return _canonical(type_name, value)


def _canonical(type_name: str, value: Any) -> Any:
    match type_name:
        case "Quantity":
            return quantity_text(str(value))
        case "Time":
            return value if _SECONDS.fullmatch(value) else rfc3339(_time(value))
        case "MicroTime":
            return _micro_time(value)
        case _:
            return value


def _micro_time(text: str) -> str:
    """Six digits after the point, no more and no fewer: Go reads no other."""
    if not _MICROS.fullmatch(text):
        layout = "2006-01-02T15:04:05.000000Z07:00"
        raise _Mismatch(f'parsing time "{text}" as "{layout}": cannot parse "{text}" as ".000000"')
    return text if text.endswith("Z") else rfc3339_micro(_time(text))


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _Mismatch(
            f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}"'
        ) from None


@lru_cache(maxsize=4096)
def quantity_text(text: str) -> str:
    """A quantity in canonical form: "0.5" becomes "500m", "1.5Gi" "1536Mi", "1000" "1k"."""
    try:
        value = exact(text)
    except QuantityError:
        raise _Mismatch(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        ) from None
    if text[-1:] == "i" and value == value.to_integral_value():
        return bytes_text(int(value))
    if "e" in text.lower() and text[-1:] != "E":
        return text
    return _decimal_text(value)


def _decimal_text(value: Decimal) -> str:
    if value == 0:
        return "0"
    for suffix, power in _DECIMAL_SUFFIXES:
        if value % (Decimal(10) ** power) == 0:
            return f"{int(value / (Decimal(10) ** power))}{suffix}"
    for suffix, power in (("", 0), ("m", 3), ("u", 6), ("n", 9)):
        scaled = value * (Decimal(10) ** power)
        if scaled == scaled.to_integral_value():
            return f"{int(scaled)}{suffix}"
    return str(value)


def _go_name(type_name: str) -> str:
    known = _GO_TYPES.get(type_name)
    return known or f"v1.{type_name.rpartition('.')[2]}"


def _misfit(value: Any, owner: str, dotted: str, wanted: str) -> str:
    struct = owner.rpartition(".")[2]
    return (
        f"json: cannot unmarshal {_json_type(value)} into Go struct field {struct}.{dotted} of type {wanted}"
    )


def _json_type(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _undecodable(resource: Resource, why: str) -> ApiError:
    return bad_request(f'{resource.kind} in version "v1" cannot be handled as a {resource.kind}: {why}')
