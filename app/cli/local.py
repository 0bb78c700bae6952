"""`spillway local`: show a local stack, and the demonstration on it."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from app.local.controlplane import ControlPlaneError
from app.local.fargate.config import FAST, FargateConfig
from app.local.kubelets import FakeNode
from app.model.actuator import Actuator
from app.ports.failures import PortFailure
from app.settings import unknown_variables
from app.telemetry import logs
from app.wiring.clock import SystemClock
from app.wiring.local.demo import Demo, DemoError, Scene, Summary
from app.wiring.local.options import LocalOptions, LocalStackError
from app.wiring.local.stack import LocalStack
from app.wiring.local.variables import require_sound
from app.wiring.stopping import StartError, run_until_stopped

ZONES: Final = ("us-east-1a", "us-east-1b", "us-east-1c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The flags of `spillway local`."""

    demo: bool
    as_json: bool
    embedded: bool
    nodes: int
    cpu: str
    memory: str
    directory: str
    actuator: Actuator
    early_burst: bool
    log_level: str


def run(options: Options) -> int:
    """Run it; the exit code: 0 when done, 1 when a part failed, 130 after Ctrl-C."""
    console = Console(stderr=True)
    logs.configure(level="warning", as_json=False)
    for line in unknown_variables(os.environ):
        console.print(Text(line, style="yellow"), soft_wrap=True)
    try:
        if run_until_stopped(_run(options, console)):
            console.print("stopped; nothing of it is left running")
            return 130 if options.demo else 0
    except (LocalStackError, ControlPlaneError, DemoError, StartError, PortFailure) as error:
        console.print(Text(str(error), style="red"))
        return 1
    return 0


async def _run(options: Options, console: Console) -> None:
    clock = SystemClock()
    with _directory(options.directory) as directory:
        chosen = _local_options(options, directory)
        require_sound(chosen)
        stack = LocalStack(chosen, clock=clock, progress=console.print)
        started = clock.steady()
        async with stack:
            console.print(f"ready after {clock.steady() - started:.1f} s")
            if options.demo:
                with _stage(console) as show:
                    summary = await Demo(stack, clock=clock, show=show).play()
                _print_summary(summary, as_json=options.as_json)
                return
            _print_welcome(stack, as_json=options.as_json)
            await stack.watch_over()


def _local_options(options: Options, directory: Path) -> LocalOptions:
    nodes = tuple(
        FakeNode(name=f"ec2-{index}", cpu=options.cpu, memory=options.memory, zone=ZONES[index % len(ZONES)])
        for index in range(options.nodes)
    )
    return LocalOptions(
        directory=directory,
        nodes=nodes,
        fargate=FargateConfig(pace=FAST, container_insights=True, journal_path=directory / "fargate.jsonl"),
        embedded=options.embedded,
        actuator=options.actuator,
        early_burst=options.early_burst,
        log_level=options.log_level,
        helper=not options.demo,
        variables=dict(os.environ),
    )


@contextlib.contextmanager
def _directory(chosen: str) -> Iterator[Path]:
    if chosen:
        yield _made(Path(chosen).resolve())
        return
    with tempfile.TemporaryDirectory(prefix="spillway-") as made:
        yield Path(made)


def _made(directory: Path) -> Path:
    """The folder that people named; it must be empty, since logs and keys of an earlier run would mix."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        taken = any(directory.iterdir())
    except OSError as error:
        raise LocalStackError(f"{directory} cannot be used ({error}); name another --directory") from error
    if taken:
        raise LocalStackError(f"{directory} is not empty; empty it, or name another --directory")
    return directory


@contextlib.contextmanager
def _stage(console: Console) -> Iterator[Callable[[Scene], None]]:
    """Show scenes: redrawn in place on a terminal, one line per step elsewhere."""
    if not console.is_terminal:
        said = ""

        def line(scene: Scene) -> None:
            nonlocal said
            if scene.step != said:
                said = scene.step
                console.print(scene.step)

        yield line
        return
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield lambda scene: live.update(_picture(scene))


def _picture(scene: Scene) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_row("real nodes", Text("■" * scene.on_nodes, style="green"), str(scene.on_nodes))
    table.add_row("Fargate", Text("■" * scene.on_fargate, style="cyan"), str(scene.on_fargate))
    table.add_row("pending", Text("□" * scene.pending, style="yellow"), str(scene.pending))
    for text in scene.log[-3:]:
        table.add_row("log", Text(text), "")
    return Panel(table, title=scene.step, title_align="left")


def _print_summary(summary: Summary, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(summary).decode(), flush=True)
        return
    console = Console()
    table = Table(title="The main job, end to end", show_header=False, title_justify="left")
    for name, value in msgspec.structs.asdict(summary).items():
        table.add_row(name.replace("_", " "), str(value))
    console.print(table)


def _print_welcome(stack: LocalStack, *, as_json: bool) -> None:
    if as_json:
        facts = {"kubernetes": stack.kubernetes, "kubeconfig": str(stack.kubeconfig)}
        print(msgspec.json.encode(facts).decode(), flush=True)
        return
    print(f"Kubernetes: {stack.kubernetes}")
    print(f"export KUBECONFIG={stack.kubeconfig}")
    print("kubectl apply -f examples/workers.yaml    # then: kubectl get pods -n demo -o wide -w")
    print("Ctrl-C ends all of it.", flush=True)
