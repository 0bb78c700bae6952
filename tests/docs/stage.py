"""Where the commands of the pages are run: a folder like the source's, a local stack, an emulator of AWS."""

import asyncio
import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.chart.rendering import CHART, helm_path
from tests.docs.fences import ROOT, Command, Fence
from tests.docs.listing import expected_code
from tests.docs.outputs import matches

REHEARSAL = Path(__file__).with_name("rehearsal.bash")
_SHOWN_OF_THE_SOURCE = ("examples", "charts", "certs", "infrastructure")


@dataclass(frozen=True, slots=True)
class Played:
    """One command that was run."""

    command: Command
    code: int
    printed: str

    @property
    def complaint(self) -> str:
        """What is wrong with it; empty where it did what the page shows."""
        if self.code != expected_code(self.command.text):
            return f"$ {self.command.text}\nended with {self.code}:\n{self.printed}"
        if not matches(self.command.shown, self.printed):
            shown = "\n".join(self.command.shown)
            return f"$ {self.command.text}\nshows on the page:\n{shown}\nprinted:\n{self.printed}"
        return ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage for pages.

    Attributes:
        variables: what the commands see besides PATH and HOME.
        real_ids: what stands in the pages for ids of a VPC, and what the emulator calls it.
    """

    folder: Path
    variables: Mapping[str, str]
    real_ids: Mapping[str, str]

    def set_up(self) -> None:
        """Make the folder."""
        for name in _SHOWN_OF_THE_SOURCE:
            (self.folder / name).symlink_to(ROOT / name)
        (self.folder / ".venv").symlink_to(sys.prefix)
        (self.folder / "values.yaml").write_text((CHART / "ci" / "default-values.yaml").read_text())
        (self.folder / "aws-values.yaml").write_text("{}\n")

    def keep(self, snippets: Iterable[Fence]) -> None:
        """Snippets with a title are files of that name."""
        for each in snippets:
            (self.folder / each.title).write_text(each.text)

    async def play(self, commands: tuple[Command, ...]) -> tuple[Played, ...]:
        """Run the commands of one page in one shell, one after another, whatever becomes of each."""
        script = self.folder / "page.bash"
        script.write_text(self._script(commands))
        process = await asyncio.create_subprocess_exec(
            *("bash", script),
            cwd=self.folder,
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        assert not process.returncode, out.decode()
        return tuple(self._played(number, each) for number, each in enumerate(commands))

    def _script(self, commands: tuple[Command, ...]) -> str:
        lines = [f". {shlex.quote(str(REHEARSAL))}"]
        for number, each in enumerate(commands):
            text = each.text
            for shown, real in self.real_ids.items():
                text = text.replace(shown, real)
            lines.append(f"{{ {text}\n}} >{number}.out 2>&1; echo $? >{number}.code")
        return "\n".join([*lines, "exit 0", ""])

    def _environment(self) -> dict[str, str]:
        ours = [Path(sys.executable).parent, *(Path(path).parent for path in (helm_path(4),) if path)]
        return {
            "PATH": os.pathsep.join([*map(str, ours), os.environ["PATH"]]),
            "HOME": str(self.folder),
            "COLUMNS": "200",
            **self.variables,
        }

    def _played(self, number: int, command: Command) -> Played:
        code = int((self.folder / f"{number}.code").read_text())
        return Played(command, code, (self.folder / f"{number}.out").read_text())
