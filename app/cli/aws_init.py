"""`spillway aws init`: the plan, the question, and what to tell the chart."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import typer
import yaml
from rich.console import Console
from rich.text import Text

from app.aws.account.options import Options
from app.aws.account.plan import Change, Keep, Refuse, Step
from app.aws.account.values import Made, helm_values, next_steps
from app.aws.account.wish import Wish
from app.cli import aws_words, words
from app.cli.aws_asking import DONE, Stopped, confirm, console_of, perform
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
    as_json: bool


def run(options: InitOptions) -> int:
    """Prepare the account, or show how; the exit code."""
    return perform(_run(options))


async def _run(given: InitOptions) -> int:
    console = console_of(as_json=given.as_json)
    async with prepared(region=given.region, name=given.name) as account:
        options = await account.options(given.wish)
        names = options.names
        console.print(f"installation {names.name} in account {names.account}, {names.region}")
        steps = await account.account.plan(options)
        for step in steps:
            aws_words.show(step, console)
        _may_go_on(steps, given)
        if not given.dry_run:
            await _apply(account, steps, console)
        made = await account.made()
        summary = _summary(options, made, given)
        if given.as_json:
            _print_json(steps, summary, given)
        else:
            _print(steps, summary, console, dry_run=given.dry_run)
    return DONE


def _may_go_on(steps: Sequence[Step], given: InitOptions) -> None:
    refused = [each for each in steps if isinstance(each, Refuse)]
    if refused:
        raise Stopped(f"nothing was done: {words.count(len(refused), 'resource')} not ours, see above")
    changed = [each for each in steps if isinstance(each, Change)]
    if changed and not (given.dry_run or given.yes):
        confirm(f"Change {words.count(len(changed), 'resource')} that exist?", as_json=given.as_json)


async def _apply(account: Prepared, steps: Sequence[Step], console: Console) -> None:
    done: list[Step] = []

    def told(step: Step) -> None:
        done.append(step)
        if not isinstance(step, Keep):
            console.print(f"done      {aws_words.key_of(step)}")

    try:
        await account.account.apply(steps, told=told)  # type: ignore[arg-type]  # applies no removal
    except PortFailure as failure:
        at = aws_words.key_of(steps[len(done)])
        raise Stopped(f"{at}: {failure}; run init again: it goes on where this one stopped") from failure


def _summary(options: Options, made: Made, given: InitOptions) -> dict[str, object]:
    wish = given.wish
    values = helm_values(options, made, subnets=wish.subnets, public_ip=wish.public_ip)
    return {"values": values, "next": list(next_steps(options, made, subnets=wish.subnets))}


def _print_json(steps: Sequence[Step], summary: dict[str, object], given: InitOptions) -> None:
    told = {"dryRun": given.dry_run, "steps": [aws_words.as_json(each) for each in steps], **summary}
    typer.echo(json.dumps(told))


def _print(steps: Sequence[Step], summary: dict[str, object], console: Console, *, dry_run: bool) -> None:
    kept = sum(isinstance(each, Keep) for each in steps)
    if dry_run:
        console.print(f"a dry run: {words.count(len(steps) - kept, 'step')} to do, nothing was done")
        return
    console.print(f"ready: {words.count(len(steps) - kept, 'step')} done, {kept} kept as they were")
    console.print("\nvalues for the Helm chart:\n")
    console.print(Text(yaml.safe_dump(summary["values"], sort_keys=False, default_flow_style=False)))
    steps_left = summary["next"]
    for each in steps_left if isinstance(steps_left, list) else ():
        console.print(Text(f"next: {each}"))
