"""The Dockerfile's steps carried out once, and its commands run as the image runs them."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.image.dockerfile import Stage, stages
from tests.image.rehearsal import ROOT, Rehearsal

UID = 65532


@dataclass(frozen=True)
class Built:
    """What the steps made: `folder` stands for the image's root."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def site(self) -> Path:
        """Where the packages are."""
        return self.folder / "opt/spillway/lib/python3.11/site-packages"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the image does: its variables alone, its user, no way to write."""
        return subprocess.run(
            self._line(command),
            cwd=self.folder,
            env=self._variables(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a program likewise; whoever starts it ends it."""
        return subprocess.Popen(self._line(command), cwd=self.folder, env=self._variables())

    def _line(self, command: tuple[str, ...]) -> list[str]:
        return [*_as_user(), f"{self.folder}/opt/spillway/bin/{command[0]}", *command[1:]]

    def _variables(self) -> dict[str, str]:
        path = f"{self.folder}/opt/spillway/bin:/usr/bin:/bin"
        return {**self.environment, "PATH": path, "HOME": "/", "TMPDIR": str(self.folder)}


def _as_user() -> list[str]:
    """What goes before a command: the image's user, who may read what root may, but not write."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return []
    keep = "+dac_read_search"
    return [
        *("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"),
        *(f"--bounding-set=-all,{keep}", f"--inh-caps={keep}", f"--ambient-caps={keep}"),
    ]


@pytest.fixture(scope="session")
def image() -> list[Stage]:
    return stages(ROOT / "Dockerfile")


@pytest.fixture(scope="session")
def built(image: list[Stage]) -> Iterator[Built]:
    if not shutil.which("musl-gcc"):
        pytest.skip("there is no C compiler with a static libc, for the helper: apt-get install musl-tools")
    if sys.version_info[:2] != (3, 11):
        pytest.skip("the image has Python 3.11, this one is another")
    folder = Path(tempfile.mkdtemp(prefix="spillway-image-"))
    try:
        rehearsal = Rehearsal(folder)
        for stage in image:
            rehearsal.stage(stage)
        folder.chmod(0o755)
        subprocess.run(["chmod", "-R", "a-w", folder], check=True)
        yield Built(folder, _fixed(image[-1].environment()))
    finally:
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)
        shutil.rmtree(folder)


def _fixed(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name != "PATH"}
