"""`spillway doctor`: whether an installed Spillway can do its work, one line per check, with the mend."""

from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from app.cli import ending, words
from app.cli.pipes import quiet_pipe
from app.doctor.diagnosis import Diagnosis
from app.doctor.finding import Finding, Level
from app.ports.failures import PortFailure
from app.telemetry import logs
from app.wiring.clock import SystemClock
from app.wiring.doctor import examiner
from app.wiring.stopping import StartError, run_until_stopped

WELL: Final = 0
WRONG: Final = 1
NO_CLUSTER: Final = 2
"""Exit codes."""

_STYLES: Final = {
    Level.OK: "green",
    Level.WARN: "yellow",
    Level.FAIL: "bold red",
    Level.SKIP: "dim",
}
_LEVEL: Final = 5
_SUBJECT: Final = 13


def command(
    *,
    kubeconfig: Annotated[
        str,
        typer.Option(
            help="A kubeconfig file; empty means $KUBECONFIG, then the in-cluster account, then "
            "~/.kube/config.",
        ),
    ] = "",
    namespace: Annotated[
        str,
        typer.Option(
            "--namespace",
            "--spillway-namespace",
            "-n",
            envvar="SPILLWAY_NAMESPACE",
            help="The namespace of the installation; empty means the one that its leader published, or that "
            "its programs are in.",
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Whether an installed Spillway can do its work, line by line, and the mend of what is wrong.

    Looks at versions, rights, webhook, certificates, scheduler, gate, nodes, namespaces, network, quotas and
    autoscalers. Creates pods for trial only (dry run), and changes nothing. `spillway status` says what
    overflows and why not; `spillway aws check` looks at AWS.
    Ends with 0 where nothing fails, with 1 where something does, with 2 where the cluster cannot be read,
    with 130 where it was stopped; for those two `--json` prints an object with `error`.
    """
    raise typer.Exit(run(kubeconfig, namespace=namespace, as_json=as_json))


def run(kubeconfig: str, *, namespace: str, as_json: bool) -> int:
    """Examine, and print; the exit code."""
    logs.configure(level="error", as_json=False)
    found: list[Diagnosis] = []
    try:
        if run_until_stopped(_examine(kubeconfig, namespace, found)):
            return ending.fail(ending.STOPPED, code=ending.INTERRUPTED, as_json=as_json)
    except (StartError, PortFailure) as error:
        return ending.fail(words.mended(error), code=NO_CLUSTER, as_json=as_json)
    for diagnosis in found:
        show(diagnosis, as_json=as_json)
    return WRONG if any(not each.is_well for each in found) else WELL


async def _examine(kubeconfig: str, namespace: str, found: list[Diagnosis]) -> None:
    async with examiner(kubeconfig, namespace=namespace, clock=SystemClock()) as looking:
        found.append(await looking.diagnosis())


def show(diagnosis: Diagnosis, *, as_json: bool) -> None:
    """Print it."""
    if as_json:
        ending.tell(msgspec.json.encode(diagnosis).decode())
        return
    console = Console(highlight=False, soft_wrap=True)
    counted = ", ".join(f"{number} {level}" for level, number in diagnosis.levels.items() if number)
    with quiet_pipe():
        for each in diagnosis.findings:
            console.print(row(each))
        console.print(Text(counted, style="bold"))


def row(finding: Finding) -> Text:
    """One line: how it is, what was looked at, what was seen, and the mend."""
    mend = f"; mend: {finding.mend}" if finding.mend else ""
    level = (f"{finding.level:<{_LEVEL}}", _STYLES[finding.level])
    return Text.assemble(level, (f"{finding.subject:<{_SUBJECT}}", "bold"), finding.seen, (mend, "italic"))
