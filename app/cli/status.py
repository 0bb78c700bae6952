"""`spillway status`: what is wrong, and how gate, pressure, spend and waiting pods stand, in one screen."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

import msgspec
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.live import Live
from rich.text import Text

from app.cli import ending, words
from app.cli.pipes import quiet_pipe
from app.extender.insight import groups, status
from app.model.setting import named
from app.model.times import rfc3339
from app.ports.failures import PortFailure
from app.telemetry import logs
from app.wiring.clock import SystemClock
from app.wiring.insight import Insight, insight
from app.wiring.stopping import StartError, run_until_stopped

WELL: Final = 0
WRONG: Final = 1
NO_CLUSTER: Final = 2
"""Exit codes."""

_LABEL: Final = 10
_MOST: Final = 8
"""Lines under one label: all of it is to fit one screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The flags of `spillway status`."""

    kubeconfig: str
    spillway_namespace: str
    as_json: bool
    watch: bool
    every: float


def run(options: Options) -> int:
    """Print it, once or until Ctrl-C; the exit code, which is the last look's."""
    logs.configure(level="error", as_json=False)
    seen: list[status.Status] = []
    try:
        if run_until_stopped(_run(options, seen)) and not seen:
            return ending.fail(ending.STOPPED, code=ending.INTERRUPTED, as_json=options.as_json)
    except (StartError, PortFailure) as error:
        return ending.fail(words.mended(error), code=NO_CLUSTER, as_json=options.as_json)
    return WRONG if seen and seen[-1].troubles else WELL


async def _run(options: Options, seen: list[status.Status]) -> None:
    clock = SystemClock()
    console = Console(highlight=False, soft_wrap=True)
    async with insight(options.kubeconfig, namespace=options.spillway_namespace, clock=clock) as looking:
        if not options.watch:
            seen.append(await looking.status())
            _print(seen[-1], options, console)
            return
        with Screen(options, console) as screen:
            while True:
                await _again(looking, screen, seen)
                await clock.sleep(options.every)


async def _again(looking: Insight, screen: "Screen", seen: list[status.Status]) -> None:
    """One look of many; a cluster that does not answer for once is told, and asked again."""
    try:
        seen[:] = [await looking.status()]
    except PortFailure as error:
        screen.complain(words.mended(error))
    else:
        screen.show(seen[-1])


class Screen:
    """Shows look after look: in place on a terminal, one below the other elsewhere, as JSON a line each."""

    def __init__(self, options: Options, console: Console) -> None:
        self._options = options
        self._console = console
        live = console.is_terminal and not options.as_json
        self._live = Live(console=console, auto_refresh=False, transient=True) if live else None
        self._last: status.Status | None = None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is None:
            return
        self._live.stop()
        if self._last is not None:
            # In place only so much of it is seen as fits; what stays behind is the whole.
            _print(self._last, self._options, self._console)

    def show(self, found: status.Status) -> None:
        """Show a look."""
        self._last = found
        if self._live is not None:
            self._live.update(_Folded(rows(found)), refresh=True)
        else:
            _print(found, self._options, self._console)

    def complain(self, message: str) -> None:
        """Say that there was none."""
        told = Text(f"{message}; asked again", style="red")
        if self._live is not None:
            self._live.update(_Folded([told]), refresh=True)
            return
        Console(stderr=True, soft_wrap=True).print(told)
        if self._options.as_json:
            ending.tell(json.dumps({"error": message}))


class _Folded:
    """Lines that are folded at the terminal's edge; drawn in place, a console that wraps softly cuts them."""

    def __init__(self, lines: Iterable[Text]) -> None:
        self._lines = tuple(lines)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from console.render(Group(*self._lines), options.update(no_wrap=False, overflow="fold"))


def _print(found: status.Status, options: Options, console: Console) -> None:
    with quiet_pipe():
        if options.as_json:
            print(msgspec.json.encode(found).decode(), flush=True)
            return
        for row in rows(found):
            console.print(row)


def rows(found: status.Status) -> Iterator[Text]:
    """The screen, line by line; what needs somebody comes first."""
    yield Text(f"Spillway at {rfc3339(found.at)}", style="bold")
    for trouble in found.troubles:
        yield _row("TROUBLE", str(trouble), "bold red")
    if not found.troubles:
        yield _row("well", _well(found), "green")
    for note in found.notes:
        yield _row("note", str(note), "yellow")
    for label, text in _sections(found):
        yield _row(label, text)


def _well(found: status.Status) -> str:
    able = "no gate is open" if found.notes else "a virtual node takes pods"
    down = sum(each.pods for each in found.failing)
    verb = "does" if down == 1 else "do"
    failing = f"; {words.count(down, 'overflow pod')} {verb} not run, see failing" if down else ""
    return f"a leader decides, and {able}{failing}"


def _row(label: str, text: str, style: str = "") -> Text:
    return Text.assemble((f"{label:<{_LABEL}}", style or "bold"), (text, style))


def _sections(found: status.Status) -> Iterator[tuple[str, str]]:
    yield from _labelled("gate", _gate(found))
    yield from _labelled("pressure", _pressure(found))
    yield from _labelled("overflow", _overflow(found))
    yield from _labelled("failing", (_group(each, found.at) for each in found.failing))
    yield from _labelled("budgets", (words.budget(each) for each in found.budgets))
    yield from _labelled("bursting", _bursting(found))
    yield from _labelled("waiting", (_group(each, found.at) for each in found.waiting))
    yield from _labelled("refused", (_group(each, found.at) for each in found.refused))
    yield from _labelled("home", _home(found))
    yield from _labelled("handover", _handover(found))
    yield from _labelled("said", (words.said(each, found.at) for each in found.said))
    yield from _labelled("note", _notes(found))


def _labelled(label: str, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The label stands before the first line only; of many lines the first are shown."""
    told = list(lines)
    left = len(told) - _MOST
    if left > 0:
        told[_MOST:] = [f"and {words.count(left, 'line')} more; --json has all"]
    for number, line in enumerate(told):
        yield ("" if number else label), line


def _gate(found: status.Status) -> Iterator[str]:
    leader = found.leader
    if leader.alive and leader.renewed is not None:
        yield f"{leader.holder} leads"
    for each in found.gates:
        bought = f"{each.capacity}, {words.prices(each.prices, each.region, each.prices_at)}"
        yield f"{words.gate(each)}; {bought}"


def _pressure(found: status.Status) -> Iterator[str]:
    yield f"whole cluster: {words.level(found.level)}"
    for each in found.reached:
        alike = f" and {words.count(each.pods - 1, 'pod')} like it" if each.pods > 1 else ""
        full = words.ALONE if each.alone else words.level(each.level)
        yield f"for {each.example}{alike}: {'the same' if full == words.level(found.level) else full}"


def _overflow(found: status.Status) -> Iterator[str]:
    spends = found.overflow
    if not spends:
        yield "no pod is on Fargate"
        return
    yield _spent(_total(spends), now=" now")
    for each in spends:
        unpriced = f" ({each.unpriced} without a price)" if each.unpriced else ""
        yield f"  {each.namespace}: {_spent(each)}{unpriced}"


def _total(spends: Sequence[status.Spend]) -> status.Spend:
    return status.Spend(
        namespace="",
        pods=sum(each.pods for each in spends),
        vcpu=sum(each.vcpu for each in spends),
        hourly=sum(each.hourly for each in spends),
        tasks=sum(each.tasks for each in spends),
        tasks_vcpu=sum(each.tasks_vcpu for each in spends),
        tasks_hourly=sum(each.tasks_hourly for each in spends),
    )


def _spent(each: status.Spend, *, now: str = "") -> str:
    """What the tasks come to; beside it what all pods will, which budgets hold back for them."""
    bought = f"{each.tasks_vcpu:g} vCPU, {words.dollars(each.tasks_hourly)} an hour{now}"
    if each.tasks == each.pods:
        return f"{words.count(each.pods, 'pod')}, {bought}"
    reserved = f"{each.vcpu:g} vCPU, {words.dollars(each.hourly)} an hour reserved"
    return f"{words.count(each.pods, 'pod')}, {each.tasks} with a task: {bought}; {reserved}"


def _bursting(found: status.Status) -> Iterator[str]:
    if found.bursting:
        yield f"{words.count(found.bursting, 'pod')} with a grant, or about to get one"
    if found.observed:
        cost = words.dollars(found.observed_hourly)
        yield f"{words.count(found.observed, 'pod')} would burst for {cost} an hour; the gate only observes"


def _group(each: groups.Group, now: datetime) -> str:
    since = f", since {words.ago(each.since, now)}" if each.since is not None else ""
    until = f"; the first is decided anew {words.ahead(each.until, now)}" if each.until is not None else ""
    return (
        f"{words.count(each.pods, 'pod')}, {each.code}: {each.message} [oldest: {each.oldest}{since}{until}]"
    )


def _home(found: status.Status) -> Iterator[str]:
    home = found.home
    if not home.on:
        yield f"off: overflow pods are not moved; {named('extender', 'return_home')} moves them"
        return
    if home.going:
        yield f"{words.count(home.going, 'pod')} could go home as room is now, and will if it lasts"
    for each in home.staying:
        verb = "stays" if each.pods == 1 else "stay"
        yield f"{words.count(each.pods, 'pod')} {verb}, {each.code}: {each.message}"


def _handover(found: status.Status) -> Iterator[str]:
    each = found.handover
    if each.on or each.waiting or each.running:
        state = "on" if each.on else "off"
        yield f"{state}: {words.count(each.waiting, 'placeholder')} without a node, {each.running} on one"
    if each.on:
        yield (
            "what overflow has cost towards the next node is in the leader's metrics "
            "spillway_handover_paid_dollars and spillway_handover_price_dollars"
        )


def _notes(found: status.Status) -> Iterator[str]:
    if found.assumed:
        yield "no extender has published its settings: judged by the defaults"
    yield from (f"not read: {text}" for text in found.unread)
