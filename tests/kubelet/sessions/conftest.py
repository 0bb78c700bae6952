"""The far sides that a session may have: the helper, and every shell that this machine has."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.helper.conftest import binary
from tests.kubelet.sessions.fakes import Stage, Terminals

__all__ = ["binary"]


def a_small_image(path: Path) -> Terminals:
    """Sessions where all programs are busybox's, as in many small images."""
    busybox = shutil.which("busybox") or ""
    for name in subprocess.check_output([busybox, "--list"], text=True).split():
        (path / name).symlink_to(busybox)
    return Terminals(sh=(str(path / "sh"),), PATH=str(path))


@pytest.fixture(params=["helper", "dash", "bash", "busybox"])
async def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A node whose sessions are of one kind; every one of them is closed in the end."""
    if request.param != "helper" and not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    if request.param == "helper":
        terminals = Terminals(helper=str(request.getfixturevalue("binary")))
    elif request.param == "busybox":
        terminals = a_small_image(tmp_path_factory.mktemp("image"))
    else:
        terminals = Terminals(sh=(request.param,))
    staged = Stage(terminals)
    yield staged
    assert staged.all_closed


@pytest.fixture
async def shell() -> AsyncIterator[Stage]:
    """A node whose container has the usual shell, and no helper."""
    staged = Stage(Terminals())
    yield staged
    assert staged.all_closed


@pytest.fixture
def without(tmp_path: Path, request: pytest.FixtureRequest) -> Terminals:
    """Sessions in an image of few programs: the test's parameter; `sh=bash` is bash by the name of sh."""
    for entry in getattr(request, "param", ("sh", "dd", "base64")):
        name, _, program = entry.partition("=")
        (tmp_path / name).symlink_to(shutil.which(program or name) or "")
    return Terminals(sh=(str(tmp_path / "sh"),), PATH=str(tmp_path))
