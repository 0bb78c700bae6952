"""Every test runs on the embedded API server, and on a real one where there is one."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.local.controlplane import find_assets, missing_assets
from tests.conformance.servers import ApiServer, Space, connected, embedded, given_kubeconfig, real, unique

Kubectl = Callable[..., str]
"""Runs kubectl in the test's namespace; its output, or the failure of the test."""


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


@pytest.fixture
def kubectl(command: list[str], environment: dict[str, str]) -> Kubectl:
    """Run kubectl in the test's namespace; its output, or the failure of the test."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*command, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def command(space: Space) -> list[str]:
    """How every command line begins."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not on PATH")
    return [program, "--namespace", space.name]


@pytest.fixture
def environment(space: Space, tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "KUBECONFIG": str(space.api.kubeconfig)}
