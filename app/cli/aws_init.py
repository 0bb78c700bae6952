"""`spillway aws init`: the plan, the question, and what to tell the chart."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import typer
import yaml
from rich.console import Console
from rich.text import Text

from app.aws.account.options import Options
from app.aws.account.plan import Change, Create, Keep, Refuse, Step
from app.aws.account.values import Made, helm_values, next_steps
from app.aws.account.wish import Wish
from app.cli import aws_words, words
from app.cli.aws_asking import DONE, Stopped, confirm, console_of, perform
from app.model.wire import Json
from app.ports.failures import PortFailure
from app.wiring.account import Prepared, prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class InitOptions:
    """The flags of `spillway aws init`."""

    name: str
    region: str
    wish: Wish
    dry_run: bool
    yes: bool
    values: bool
    as_json: bool

    @property
    def aside(self) -> bool:
        """Whether words for people go to standard error."""
        return self.values or self.as_json


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the chart has to be told, and what a person has to do."""

    title: str
    values: Json
    next: tuple[str, ...]

    @property
    def file(self) -> str:
        """A file of values for `helm --values`, what is left to do on top of it."""
        remarks = (self.title, *(f"next: {each}" for each in self.next))
        text = yaml.safe_dump(self.values, sort_keys=False, default_flow_style=False)
        return "".join(f"# {each}\n" for each in remarks) + text


def run(options: InitOptions) -> int:
    """Prepare the account, or show how; the exit code."""
    return perform(_run(options), as_json=options.as_json)


async def _run(given: InitOptions) -> int:
    console = console_of(aside=given.aside)
    if given.values and given.as_json:
        raise Stopped("nothing was done: take --values or --json, whose object has the values, too")
    waiting = aws_words.waiting(console)
    async with prepared(region=given.region, name=given.name, waiting=waiting) as account:
        options = await account.options(given.wish)
        names = options.names
        console.print(f"installation {names.name} in account {names.account}, {names.region}")
        steps = await account.account.plan(options)
        for step in steps:
            aws_words.show(step, console)
        _may_go_on(steps, given)
        if not given.dry_run:
            await _apply(account, steps, console)
        told = _told(options, await account.made(), steps, given)
    _print(steps, told, given, console)
    return DONE


def _may_go_on(steps: Sequence[Step], given: InitOptions) -> None:
    refused = [each for each in steps if isinstance(each, Refuse)]
    if refused:
        said = f"nothing was done: {words.count(len(refused), 'resource')} not ours, see above"
        raise Stopped(said, told=_steps(steps))
    changed = [each for each in steps if isinstance(each, Change)]
    if changed and not (given.dry_run or given.yes):
        confirm(f"Change {words.count(len(changed), 'existing resource')}?", aside=given.aside)


def _steps(steps: Sequence[Step]) -> dict[str, object]:
    return {"steps": [aws_words.as_json(each) for each in steps]}


async def _apply(account: Prepared, steps: Sequence[Step], console: Console) -> None:
    done: list[Step] = []

    def told(step: Step) -> None:
        done.append(step)
        if not isinstance(step, Keep):
            console.print(f"done      {aws_words.key_of(step)}")

    try:
        await account.account.apply(steps, told=told)  # type: ignore[arg-type]  # applies no removal
    except PortFailure as failure:
        said = f"{failure}; run init again: it goes on where this one stopped"
        raise Stopped(said, told={**_steps(steps), "done": _steps(done)["steps"]}) from failure


def _told(options: Options, made: Made, steps: Sequence[Step], given: InitOptions) -> _Told:
    wish, names = given.wish, options.names
    where = f"installation {names.name} in account {names.account}, {names.region}"
    is_partial = given.dry_run and any(isinstance(each, Create) for each in steps)
    first = ("run it without --dry-run: what is not made yet is missing here",) if is_partial else ()
    return _Told(
        title=f"Values of the Helm chart: {where}.",
        values=helm_values(options, made, subnets=wish.subnets, public_ip=wish.public_ip),
        next=(*first, *next_steps(options, made, subnets=wish.subnets)),
    )


def _print(steps: Sequence[Step], told: _Told, given: InitOptions, console: Console) -> None:
    if given.as_json:
        shown = {"dryRun": given.dry_run, **_steps(steps), "values": told.values, "next": told.next}
        typer.echo(json.dumps(shown))
        return
    kept = sum(isinstance(each, Keep) for each in steps)
    if given.dry_run:
        console.print(f"a dry run: {words.count(len(steps) - kept, 'step')} to do, nothing was done")
    else:
        console.print(f"ready: {words.count(len(steps) - kept, 'step')} done, {kept} kept as they were")
    if given.values:
        typer.echo(told.file, nl=False)
    elif not given.dry_run:
        console.print(Text(f"\nvalues for the Helm chart (--values prints them alone):\n\n{told.file}"))
