"""Every test runs on the embedded API server, and on a real one where there is one."""

import os
from collections.abc import Iterator

import pytest

from app.local.controlplane import find_assets, missing_assets
from tests.conformance.servers import ApiServer, Space, connected, embedded, given_kubeconfig, real, unique


@pytest.fixture(scope="session", params=["embedded", "real"])
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    folder = tmp_path_factory.mktemp(request.param)
    kubeconfig, assets = given_kubeconfig(), find_assets(os.environ)
    if request.param == "embedded":
        with embedded(folder) as server:
            yield server
    elif kubeconfig is not None:
        with connected(kubeconfig, folder) as server:
            yield server
    elif assets is not None:
        with real(assets, folder) as server:
            yield server
    else:
        missing = ", ".join(missing_assets(os.environ))
        pytest.skip(f"no real API server to compare with: set KUBEBUILDER_ASSETS (missing: {missing})")


@pytest.fixture
def space(api: ApiServer) -> Iterator[Space]:
    name = unique("conformance")
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert api.post("/api/v1/namespaces", body).status_code == 201
    api.until(f"/api/v1/namespaces/{name}/serviceaccounts/default")
    yield Space(api, name)
    api.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def node(api: ApiServer) -> Iterator[str]:
    name = unique("node")
    yield name
    api.delete(f"/api/v1/nodes/{name}")
