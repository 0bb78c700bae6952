"""The helper, built once for all its tests, and a stage for each of them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helper.fakes import MetadataEndpoint, Stage

BUILD = Path(__file__).parents[2] / "helper" / "build"


@pytest.fixture(scope="session")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program; $SPILLWAY_HELPER_BINARY names one to test instead of building it."""
    given = os.environ.get("SPILLWAY_HELPER_BINARY")
    if given:
        return Path(given)
    if not shutil.which("musl-gcc") and not shutil.which("cc"):
        pytest.skip("the helper needs a C compiler: apt-get install musl-tools")
    out = tmp_path_factory.mktemp("helper") / "spillway-helper"
    subprocess.run([BUILD, out], check=True)
    return out


@pytest.fixture
def stage(binary: Path, tmp_path: Path) -> Stage:
    """A world of its own for the helper."""
    root = tmp_path / "spillway"
    etc = tmp_path / "etc"
    (root / "records").mkdir(parents=True)
    etc.mkdir()
    return Stage(binary=binary, root=root, etc=etc)


@pytest.fixture
def endpoint() -> Iterator[MetadataEndpoint]:
    """A task metadata endpoint."""
    with MetadataEndpoint() as running:
        yield running


@pytest.fixture
def as_root() -> None:
    """Leave out what only root may do."""
    if os.geteuid() != 0:
        pytest.skip("changing owners, users and capabilities needs root")


@pytest.fixture
def as_process_one() -> tuple[str, ...]:
    """The words that make a program process 1 of a namespace of its own."""
    words = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child")
    if not shutil.which("unshare") or subprocess.run([*words, "true"], check=False).returncode != 0:
        pytest.skip("this machine lets nobody make a PID namespace (unshare --user --pid)")
    return words


@pytest.fixture
def as_mounter() -> tuple[str, ...]:
    """The words that run a program where the file after them is mounted on the one after that."""
    words = ("unshare", "--user", "--map-root-user", "--mount")
    if not shutil.which("unshare") or subprocess.run([*words, "true"], check=False).returncode != 0:
        pytest.skip("this machine lets nobody make a mount namespace (unshare --user --mount)")
    return (*words, "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh")
