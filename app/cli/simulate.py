"""`spillway simulate`: what a recorded workload would have cost, and how long its pods would have waited."""

import contextlib
import enum
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.cli import comparison
from app.extender.decision.budget import Limits
from app.extender.decision.hindrance import GateConfig
from app.model.offer import Arch
from app.model.policy import PolicyError, duration
from app.model.quantity import MIB, QuantityError, milli, whole
from app.simulator.books import Outcome
from app.simulator.config import HOUR_MS, NodeShape, SimulationConfig
from app.simulator.policies import BY_NAME, POLICIES, Policy
from app.simulator.replay import Replay
from app.simulator.report import Report, figures_of, report_of
from app.simulator.trace import Trace, TraceError, read_trace

DONE: Final = 0
NOT_WRITTEN: Final = 1
BAD_INPUT: Final = 2
STOPPED: Final = 130
"""Exit codes."""

_NO_PLOTS: Final = "no plots: they need matplotlib; pip install 'spillway-fargate[plots]'"


Name = enum.Enum("Name", {each.name: each.name for each in POLICIES})  # type: ignore[misc]  # one list
"""The policies, as typer wants them."""


def _length(text: str) -> timedelta:
    try:
        return duration(text)
    except PolicyError as error:
        raise typer.BadParameter(str(error)) from error


def _cores(text: str) -> int:
    return _amount(text, milli)


def _memory(text: str) -> int:
    return _amount(text, whole) // MIB


def _amount(text: str, read: Callable[[str], int]) -> int:
    try:
        amount = read(text)
    except QuantityError as error:
        raise typer.BadParameter(str(error)) from error
    if amount <= 0:
        raise typer.BadParameter(f"{text} is no room; write for instance 4 or 16Gi")
    return amount


def _finite(value: float | None) -> float | None:
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no amount; write a number")
    return value


def command(  # noqa: PLR0913  (one parameter per flag)
    trace: Annotated[
        Path,
        typer.Argument(
            metavar="TRACE",
            help="CSV with the columns name, cpu_milli, memory_mib, creation_time, deletion_time (seconds; "
            "empty where the pod still runs); optional: namespace, max_wait, capacity, overflow.",
        ),
    ],
    *,
    policy: Annotated[
        list[Name] | None,
        typer.Option(help="Only this policy; may be given several times. \\[default: all four]"),
    ] = None,
    nodes: Annotated[int, typer.Option(min=0, max=10_000, help="How many nodes always stand.")] = 3,
    max_nodes: Annotated[
        int, typer.Option(min=0, max=10_000, help="How many there may be with the autoscaler's.")
    ] = 100,
    node_cpu: Annotated[
        int, typer.Option(parser=_cores, metavar="QUANTITY", help="A node's cpu for pods.")
    ] = "4",  # type: ignore[assignment]  # typer parses defaults, too
    node_memory: Annotated[
        int, typer.Option(parser=_memory, metavar="QUANTITY", help="A node's memory for pods.")
    ] = "16Gi",  # type: ignore[assignment]
    node_price: Annotated[
        float, typer.Option(min=0, help="US dollars for an hour of a node.", callback=_finite)
    ] = 0.192,
    autoscaler_delay: Annotated[
        timedelta,
        typer.Option(parser=_length, metavar="DURATION", help="From asking for a node until it is Ready."),
    ] = "2m",  # type: ignore[assignment]
    scale_down_delay: Annotated[
        timedelta,
        typer.Option(parser=_length, metavar="DURATION", help="How long an added node stays empty."),
    ] = "10m",  # type: ignore[assignment]
    fargate_start: Annotated[
        timedelta,
        typer.Option(parser=_length, metavar="DURATION", help="From a launch on Fargate to a running pod."),
    ] = "45s",  # type: ignore[assignment]
    arch: Annotated[Arch, typer.Option(help="Of nodes and tasks; prices differ.")] = "amd64",
    max_wait: Annotated[
        timedelta,
        typer.Option(
            parser=_length, metavar="DURATION", help="How long pods wait for a real node, as the extender's."
        ),
    ] = "0s",  # type: ignore[assignment]
    max_pods: Annotated[
        int | None, typer.Option(min=0, help="The most overflow pods at once, as the extender's.")
    ] = None,
    max_vcpu: Annotated[
        float | None,
        typer.Option(min=0, help="The most Fargate vCPUs at once, as the extender's.", callback=_finite),
    ] = None,
    max_hourly_cost: Annotated[
        float | None,
        typer.Option(min=0, help="The most US dollars an hour, as the extender's.", callback=_finite),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write report.json and PNG plots there.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object in place of the table.")
    ] = False,
) -> None:
    """What a recorded workload would have cost, and how long its pods would have waited, four ways.

    Nodes only, nodes with an autoscaler, Fargate only, and Spillway, which decides as the extender does.
    Ends with 0, with 1 where a file cannot be written, with 2 where the trace cannot be read.
    """
    gate = GateConfig(
        max_wait=max_wait,
        fargate_start=fargate_start,
        budget=Limits(pods=max_pods, vcpu=max_vcpu, hourly=max_hourly_cost),
    )
    config = SimulationConfig(
        nodes=nodes,
        most_nodes=max_nodes,
        node=NodeShape(cpu_milli=node_cpu, memory_mib=node_memory, hourly=node_price),
        boot=autoscaler_delay,
        scale_down=scale_down_delay,
        fargate_start=fargate_start,
        arch=arch,
        gate=gate,
    )
    policies = tuple(each for each in POLICIES if not policy or Name(each.name) in policy)
    options = Options(trace=trace, policies=policies, config=config, out=out, as_json=as_json)
    raise typer.Exit(run(options))


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The flags of `spillway simulate`; `policies` are names, `out` is empty for no files."""

    trace: Path
    policies: tuple[Policy, ...]
    config: SimulationConfig
    out: Path | None
    as_json: bool


def run(options: Options) -> int:
    """Replay, print, write; the exit code."""
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        trace = _read(options.trace)
        outcomes = _replayed(trace, options, errors)
        report = _report(trace, outcomes)
        with _named("standard output"):
            comparison.show(report, as_json=options.as_json)
        if options.out is not None:
            with _named(str(options.out)):
                _write(report, outcomes, begin=trace.begin, folder=options.out, errors=errors)
    except TraceError as error:
        for fault in error.faults:
            errors.print(escape(fault), style="red")
        return BAD_INPUT
    except OSError as error:
        errors.print(f"{escape(str(error.filename))} cannot be used: {error.strerror}", style="red")
        return NOT_WRITTEN
    except KeyboardInterrupt:
        errors.print("stopped")
        return STOPPED
    return DONE


@contextlib.contextmanager
def _named(place: str) -> Iterator[None]:
    """An error of what is open already, such as of a full disk, does not say where."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or place
        raise


def _read(path: Path) -> Trace:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return read_trace(lines, source=str(path))
    except OSError as error:
        raise TraceError([f"{path} cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise TraceError([f"{path} is no UTF-8 text; save it as CSV in UTF-8"]) from error


def _replayed(trace: Trace, options: Options, errors: Console) -> dict[str, Outcome]:
    outcomes = {}
    for policy in options.policies:
        with _progress(errors, policy, pods=len(trace.pods)) as progress:
            outcomes[policy.name] = Replay(trace, policy, config=options.config).run(progress)
    return outcomes


@contextlib.contextmanager
def _progress(console: Console, policy: Policy, *, pods: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere; it is gone once the policy is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(policy.title, total=pods)
        yield lambda done: shown.update(task, completed=done)


def _report(trace: Trace, outcomes: Mapping[str, Outcome]) -> Report:
    return report_of(
        (figures_of(BY_NAME[name], each, begin=trace.begin) for name, each in outcomes.items()),
        pods=len(trace.pods),
        hours=(trace.end - trace.begin) / HOUR_MS,
        ignored_columns=trace.ignored,
    )


def _write(
    report: Report, outcomes: Mapping[str, Outcome], *, begin: int, folder: Path, errors: Console
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    try:
        # Half a second and 30 MiB that no other command should pay for.
        from app.simulator import plots  # noqa: PLC0415
    except ModuleNotFoundError:
        errors.print(escape(_NO_PLOTS), style="yellow")
        return
    plots.draw(outcomes, begin=begin, folder=folder)
