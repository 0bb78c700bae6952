"""The Dockerfile's steps, carried out below a folder instead of in a container.

Paths that the image's own steps make stand below that folder; the rest of the base image is this machine.
What would change this machine (packages of the distribution, the base's own Python) is not carried out.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.image.dockerfile import Instruction, Stage

ROOT = Path(__file__).parents[2]
OURS = ("src", "build", "wheels", "helper", "opt/spillway", "spillway-helper", "musl-version")
NOT_RUN = ("apt-get ", "python -m pip uninstall ")

_PATH = re.compile(rf"(?<![\w./-])/(?=(?:{'|'.join(OURS)})(?:[/\s]|$))")
_UNREACHABLE = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "ProxyError")


class Rehearsal:
    """The steps of stages, one after the other, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._where = folder
        self._environment: dict[str, str] = {}

    def stage(self, stage: Stage) -> None:
        """Carry out one stage; what an earlier one made outside its sources is there still, in its place."""
        shutil.rmtree(self._folder / "src", ignore_errors=True)
        self._where = self._folder
        self._environment = stage.environment()
        for instruction in stage.instructions:
            match instruction.word:
                case "RUN":
                    self._run(instruction.value)
                case "COPY":
                    self._copy(instruction)
                case "WORKDIR":
                    self._where = self._place(instruction.value)
                    self._where.mkdir(parents=True, exist_ok=True)
                case _:
                    pass

    def _place(self, path: str) -> Path:
        if not path.startswith("/"):
            return self._where / path
        assert _PATH.match(path), f"{path} is no path of the image's own"
        return self._folder / path[1:]

    def _copy(self, instruction: Instruction) -> None:
        *sources, target = shlex.split(instruction.value)
        for source in sources:
            there = self._place(source) if "from" in instruction.flags else ROOT / source
            here = self._place(target)
            if target.endswith("/") and not there.is_dir():
                here /= there.name
            here.parent.mkdir(parents=True, exist_ok=True)
            if there.is_dir() and there != here:
                shutil.copytree(there, here, ignore=shutil.ignore_patterns("__pycache__"))
            elif there != here:
                shutil.copy2(there, here)

    def _run(self, command: str) -> None:
        if command.startswith(NOT_RUN):
            return
        ended = subprocess.run(
            ["sh", "-ec", _PATH.sub(f"{self._folder}/", command)],
            cwd=self._where,
            env=self._variables(isolated="--require-hashes" not in command),
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode and any(word in ended.stderr for word in _UNREACHABLE):
            pytest.skip("the package index cannot be reached, so the locked wheels cannot be downloaded")
        assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"

    def _variables(self, *, isolated: bool) -> dict[str, str]:
        """This machine's way to the index where one is asked; nothing of its pip elsewhere, but its cache."""
        own = {
            name: value for name, value in os.environ.items() if not (isolated and name.startswith("PIP_"))
        }
        given = {name: value for name, value in self._environment.items() if name != "PIP_NO_CACHE_DIR"}
        python = Path(sys._base_executable).parent  # type: ignore[attr-defined]
        alone = {"PIP_CONFIG_FILE": os.devnull} if isolated else {}
        return own | given | alone | {"PATH": f"{python}:{os.environ['PATH']}"}
