"""The command's first moments: Ctrl-C while it is being loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

_HOME = Path(__file__).resolve().parents[2]
_INTERRUPTED_WHILE_LOADING = """
import signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from app.cli.start import main
main()
"""


@pytest.mark.parametrize("module", ["app.cli.main", "app.wiring.kubernetes"])
def test_ctrl_c_while_it_is_loaded_ends_it_without_a_traceback(module: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_WHILE_LOADING.format(module=module), "local"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=_HOME,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")
