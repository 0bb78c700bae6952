"""The fields of the Kubernetes types we serve: their names, what they hold and how their lists merge.

`kubernetes_types.json` beside this module states, one type a line, what Kubernetes publishes in its OpenAPI
document: `"[]core.Container map=name merge=name"` is a list of containers, keyed by name for server-side
apply and for strategic merge.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
"""

from importlib import resources
from typing import Final, Literal

import msgspec

Shape = Literal["one", "list", "map"]
SCALARS: Final = frozenset(
    {"string", "integer", "number", "boolean", "object", "Time", "MicroTime", "Quantity", "IntOrString"}
)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field: `type` names what it holds, or what each element of it holds.

    `keys` identify an element for server-side apply; `merge_key` does for strategic merge patch ("" where a
    list of scalars merges). A list with neither, and anything `atomic`, is replaced whole.
    """

    type: str
    shape: Shape = "one"
    keys: tuple[str, ...] = ()
    is_set: bool = False
    atomic: bool = False
    merge_key: str | None = None
    retain_keys: bool = False
    replace: bool = False


ANYTHING: Final = Field(type="object")


class Schema:
    """All types; read once, when the cluster is built."""

    def __init__(self) -> None:
        text = resources.files(__package__).joinpath("kubernetes_types.json").read_bytes()
        document = msgspec.json.decode(text)
        self._atomic = frozenset(document["atomic"])
        self.types: dict[str, dict[str, Field]] = {
            name: {field: self._parse(spec) for field, spec in fields.items()}
            for name, fields in document["types"].items()
        }

    def fields(self, type_name: str) -> dict[str, Field]:
        """The fields of a type; empty for scalars."""
        return self.types.get(type_name, {})

    def is_struct(self, type_name: str) -> bool:
        """Whether the type has named fields."""
        return type_name in self.types

    def _parse(self, spec: str) -> Field:
        head, *options = spec.split(" ")
        shape: Shape = "list" if head.startswith("[]") else "map" if head.startswith("{}") else "one"
        type_name = head.removeprefix("[]").removeprefix("{}")
        given = dict(option.partition("=")[::2] for option in options)
        return Field(
            type="object" if type_name.startswith("[]") else type_name,
            shape=shape,
            keys=tuple(given["map"].split(",")) if "map" in given else (),
            is_set="set" in given,
            atomic="atomic" in given or (shape == "one" and type_name in self._atomic),
            merge_key=given.get("merge"),
            retain_keys="retainKeys" in given,
            replace="replace" in given,
        )
