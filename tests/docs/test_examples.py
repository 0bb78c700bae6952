"""The examples can run on Fargate, and Kubernetes accepts them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types
import pytest
import yaml

from app.local.controlplane import find_assets, missing_assets
from tests.conformance.servers import ApiServer, real
from tests.docs.fences import ROOT

ALL = sorted((ROOT / "examples").glob("*.yaml"))
EXAMPLES = [path for path in ALL if path.stem != "namespace-policy"]
"""Those with pods; test_policy.py has the other one."""
each_file = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in ALL])
each_example = pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in EXAMPLES])


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    assets = find_assets(os.environ)
    if assets is None or shutil.which("kubectl") is None:
        pytest.skip(f"no real API server and kubectl: {', '.join(missing_assets(os.environ))}")
    with real(assets, tmp_path_factory.mktemp("examples-real")) as server:
        yield server


def test_explain_finds_nothing_that_fargate_cannot_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "explain", "--json", *EXAMPLES],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)["pods"]
    assert {each["source"] for each in found if each["eligible"]} == {str(path) for path in EXAMPLES}


@each_file
def test_every_object_of_it_is_valid(path: Path) -> None:
    [kubernetes_validate.validate(each, "1.36", strict=True) for each in yaml.safe_load_all(path.read_text())]


@each_example
def test_no_image_of_it_is_the_latest(path: Path) -> None:
    images = [line.split("image:")[1].strip() for line in path.read_text().splitlines() if "image:" in line]
    assert [image for image in images if ":" not in image or image.endswith(":latest")] == []


@each_example
def test_a_real_api_server_accepts_it(path: Path, api: ApiServer) -> None:
    done = subprocess.run(
        ["kubectl", "apply", "--server-side", "--validate=strict", "-f", path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KUBECONFIG": str(api.kubeconfig)},
    )
    assert done.returncode == 0, done.stderr
