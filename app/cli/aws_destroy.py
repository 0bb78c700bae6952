"""`spillway aws destroy`: what is there, the question, and what stays and why."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import typer
from rich.console import Console

from app.aws.account.departure import HELD, Departure, counted
from app.aws.account.plan import Delete, Removal
from app.cli import aws_words, words
from app.cli.aws_asking import DONE, Stopped, confirm, console_of, perform
from app.ports.failures import PortFailure
from app.wiring.account import Prepared, prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyOptions:
    """The flags of `spillway aws destroy`."""

    name: str
    region: str
    stop_tasks: bool
    keep_logs: bool
    dry_run: bool
    yes: bool
    as_json: bool


def run(options: DestroyOptions) -> int:
    """Remove it, or show what would be; the exit code."""
    return perform(_run(options), as_json=options.as_json)


async def _run(given: DestroyOptions) -> int:
    console = console_of(aside=given.as_json)
    waiting = aws_words.waiting(console)
    async with prepared(region=given.region, name=given.name, waiting=waiting) as account:
        names = account.account.names
        console.print(f"installation {names.name} in account {names.account}, {names.region}")
        leaving = await account.departure(keep_logs=given.keep_logs)
        _show(leaving, console)
        if not given.dry_run:
            _may_go_on(leaving, given)
            await _remove(account, leaving, given, console)
    if given.as_json:
        typer.echo(json.dumps(_told(leaving, given)))
    elif given.dry_run:
        console.print("a dry run: nothing was done")
    else:
        console.print("done, but for what is kept" if leaving.kept else "nothing of it is left")
    return DONE


def _show(leaving: Departure, console: Console) -> None:
    for step in leaving.steps:
        aws_words.show(step, console)
    left = leaving.left
    if left.definitions or left.secrets:
        console.print(f"delete    {counted(left)}")
    if left.performance_log:
        console.print("delete    the log of Container Insights")
    for each in leaving.kept:
        console.print(f"kept      {each}")
    for each in leaving.first:
        console.print(f"first     {each}")


def _may_go_on(leaving: Departure, given: DestroyOptions) -> None:
    tasks = words.count(len(leaving.left.tasks), "task")
    if leaving.left.tasks and not given.stop_tasks:
        raise Stopped(
            f"nothing was done: the ECS cluster still runs {tasks}; uninstall Spillway first "
            "(`spillway drain` moves its pods), or say --stop-tasks",
            told={"tasks": len(leaving.left.tasks)},
        )
    if leaving.first:
        said = f"nothing was done: {HELD}: {'; '.join(leaving.first)}"
        raise Stopped(said, told={"first": list(leaving.first)})
    if not given.yes and not leaving.is_nothing:
        too = f", and stop {tasks}" if leaving.left.tasks else ""
        confirm(f"Remove all this{too}?", aside=given.as_json)


async def _remove(account: Prepared, leaving: Departure, given: DestroyOptions, console: Console) -> None:
    if leaving.is_nothing:
        return
    done: list[Removal] = []

    def progress(what: str, done: int, of: int) -> None:
        if done == of or not done % 25:
            console.print(f"done      {done} of {of} {what}")

    def told(step: Removal) -> None:
        if isinstance(step, Delete):
            done.append(step)
            console.print(f"done      {aws_words.key_of(step)}")

    try:
        await account.remove(leaving, told=told, counted=progress)
        remains = await account.remains(keep_logs=given.keep_logs)
    except PortFailure as failure:
        raise Stopped(
            f"{failure}; run destroy again: it goes on where this one stopped", told=_done(done)
        ) from failure
    if not remains.is_nothing:
        there = ", ".join(_there(remains))
        raise Stopped(f"AWS still shows {there} after a minute; run destroy again", told=_done(done))


def _done(steps: Sequence[Removal]) -> dict[str, object]:
    return {"done": [aws_words.as_json(each) for each in steps]}


def _there(remains: Departure) -> Iterator[str]:
    if remains.left.tasks:
        yield words.count(len(remains.left.tasks), "task")
    yield from (str(each.found.key) for each in remains.steps if isinstance(each, Delete))
    if remains.left.definitions or remains.left.secrets:
        yield counted(remains.left)
    if remains.left.performance_log:
        yield "the log of Container Insights"


def _told(leaving: Departure, given: DestroyOptions) -> dict[str, object]:
    left = leaving.left
    return {
        "dryRun": given.dry_run,
        "steps": [aws_words.as_json(each) for each in leaving.steps],
        "tasks": len(left.tasks),
        "taskDefinitions": left.definitions,
        "secrets": len(left.secrets),
        "performanceLog": left.performance_log,
        "kept": list(leaving.kept),
        "first": list(leaving.first),
    }
