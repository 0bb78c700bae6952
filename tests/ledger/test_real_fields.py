"""On a real API server: the ledger knows every field that its pods have."""

import os
from collections.abc import Iterator
from typing import Any, Final

import pytest

from app.fargate.ledger import TYPES
from app.local.controlplane import find_assets, missing_assets
from tests.conformance.servers import ApiServer, connected, given_kubeconfig, real

PREFIX: Final = "io.k8s.api.core.v1."


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A real API server; the embedded one describes no schema."""
    folder = tmp_path_factory.mktemp("real")
    kubeconfig, assets = given_kubeconfig(), find_assets(os.environ)
    if kubeconfig is not None:
        with connected(kubeconfig, folder) as server:
            yield server
    elif assets is not None:
        with real(assets, folder) as server:
            yield server
    else:
        missing = ", ".join(missing_assets(os.environ))
        pytest.skip(f"no real API server to ask: set KUBEBUILDER_ASSETS (missing: {missing})")


def named_in(schema: Any) -> str:
    """The core/v1 type that a field's schema refers to, anywhere in it; empty for a plain value."""
    if isinstance(schema, list):
        return next(filter(None, map(named_in, schema)), "")
    if not isinstance(schema, dict):
        return ""
    reference = schema.get("$ref", "").rsplit("/", 1)[-1]
    return reference.removeprefix(PREFIX) if reference.startswith(PREFIX) else named_in(list(schema.values()))


def unknown(schemas: dict[str, Any]) -> list[str]:
    """Every field that a row leads to and no row is about."""
    found, seen, waiting = [], {"PodSpec"}, ["PodSpec"]
    while waiting:
        kind = waiting.pop()
        for field, schema in schemas[PREFIX + kind]["properties"].items():
            row = TYPES[kind].get(field)
            below = row.of if row is not None else ""
            found += [f"{kind}.{field}"] if row is None else []
            found += (
                [f"{row.name} is a {named_in(schema)}"] if row and below not in {"", named_in(schema)} else []
            )
            if below and below not in seen:
                seen.add(below)
                waiting.append(below)
    return found


@pytest.fixture
def schemas(api: ApiServer) -> dict[str, Any]:
    """The types of core/v1, as the server describes them; some builds describe none."""
    found: dict[str, Any] = api.get("/openapi/v3/api/v1").json()["components"]["schemas"]
    if "properties" not in found[f"{PREFIX}PodSpec"]:
        pytest.skip("this API server was built without the fields of its types")
    return found


def test_every_field_of_its_pods_has_a_row(schemas: dict[str, Any]) -> None:
    """A newer server's new fields are listed here; until they have a row, `unknown_fields` refuses them."""
    assert unknown(schemas) == []
