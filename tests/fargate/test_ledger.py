"""The ledger has a row for every field of a pod, and no other; what it does not know is said, not dropped."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from app.fargate.eligibility import unknown
from app.fargate.ledger import ROWS, TYPES, unknown_fields
from app.fargate.support import Kind, Row
from app.model.pod import PodSpec
from tests.builders import a_pod, wire

CORE: Final[dict[str, dict[str, str]]] = json.loads((Path(__file__).parent / "core_v1.json").read_text())
"""Type → field → the field's type ("" for a plain value): all that PodSpec reaches in core/v1.

Read from the OpenAPI document (/openapi/v3/api/v1) of a Kubernetes 1.36 API server.
"""


def reached() -> Iterator[tuple[str, str]]:
    """Every field from PodSpec down, but for what stands below a row that speaks for all of it."""
    seen, waiting = {"PodSpec"}, ["PodSpec"]
    while waiting:
        kind = waiting.pop()
        for field, below in CORE[kind].items():
            yield kind, field
            row = TYPES.get(kind, {}).get(field)
            speaks_for_all = row is not None and not row.of
            if below in CORE and not speaks_for_all and below not in seen:
                seen.add(below)
                waiting.append(below)


def test_every_field_of_core_v1_has_exactly_one_row_and_no_row_is_superfluous() -> None:
    rows = Counter((row.type, row.field) for row in ROWS if not row.since)
    assert rows == Counter(reached())


def test_a_row_of_a_later_kubernetes_is_in_no_core_v1_of_ours() -> None:
    assert [row.name for row in ROWS if row.since and row.field in CORE.get(row.type, {})] == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.of], ids=lambda row: row.name)
def test_a_row_leads_to_the_rows_of_its_fields_type(row: Row) -> None:
    assert CORE[row.type][row.field] == row.of


def fields_of(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return {field.encode_name: field.type for field in msgspec.structs.fields(struct)}


def structs_in(annotation: Any) -> list[type[msgspec.Struct]]:
    parts = [annotation, *getattr(annotation, "__args__", ())]
    return [part for part in parts if isinstance(part, type) and issubclass(part, msgspec.Struct)]


def modelled(kind: str, struct: type[msgspec.Struct]) -> Iterator[tuple[str, set[str]]]:
    """Each type that our values spell out, with the fields that they and the ledger do not share."""
    fields = fields_of(struct)
    yield kind, set(fields) ^ set(TYPES[kind])
    for name, row in TYPES[kind].items():
        for below in structs_in(fields.get(name)) if row.of else ():
            yield from modelled(row.of, below)


def test_our_values_hold_every_field_that_the_ledger_honours() -> None:
    assert {kind: lost for kind, lost in modelled("PodSpec", PodSpec) if lost} == {}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_says_what_it_means(row: Row) -> None:
    assert row.how
    refuses = row.refuses is not None or row.rule is not None
    assert row.kind is not Kind.REFUSED or (row.refuses is not None and not row.unless)
    assert row.kind is Kind.REFUSED or not refuses or bool(row.unless) or bool(row.of)


def test_a_pod_of_our_own_kubernetes_has_no_unknown_field() -> None:
    assert list(unknown_fields(wire(a_pod().spec))) == []


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        pytest.param({"teleport": True}, ["spec.teleport"], id="of-the-pod"),
        pytest.param(
            {"teleport": False, "warp": {}}, ["spec.teleport", "spec.warp"], id="whatever-its-value"
        ),
        pytest.param({"teleport": None}, [], id="null-is-not-set"),
        pytest.param(
            {"containers": [{"name": "a"}, {"env": [{"valueFrom": {"vaultRef": {}}}]}]},
            ["spec.containers[1].env[0].valueFrom.vaultRef"],
            id="deep-below",
        ),
        pytest.param({"volumes": [{"s3": {}}]}, ["spec.volumes[0].s3"], id="a-volume-of-tomorrow"),
        pytest.param({"securityContext": {"umask": 0}}, ["spec.securityContext.umask"], id="of-an-object"),
        pytest.param({"affinity": {"machineAffinity": {}}}, [], id="below-a-row-that-speaks-for-all"),
        pytest.param({"evictionResponders": [{"name": "x"}]}, [], id="of-a-later-kubernetes-and-known"),
        pytest.param({"containers": "none", "volumes": [7]}, [], id="of-the-wrong-shape"),
        pytest.param(None, [], id="no-spec"),
    ],
)
def test_a_field_that_no_row_knows_is_named_by_its_path(spec: Any, paths: list[str]) -> None:
    assert list(unknown_fields(spec)) == paths
    assert [(reason.code, reason.field) for reason in unknown(spec)] == [
        ("UnknownField", path) for path in paths
    ]
