"""`spillway aws destroy`: what is there, the question, and what stays and why."""

import json
from dataclasses import dataclass

import typer
from rich.console import Console

from app.aws.account.departure import Departure, counted
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
    return perform(_run(options))


async def _run(given: DestroyOptions) -> int:
    console = console_of(as_json=given.as_json)
    async with prepared(region=given.region, name=given.name) as account:
        names = account.account.names
        console.print(f"installation {names.name} in account {names.account}, {names.region}")
        leaving = await account.departure(keep_logs=given.keep_logs)
        _show(leaving, console)
        if not given.dry_run:
            _may_go_on(leaving, given)
            await _remove(account, leaving, console)
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


def _may_go_on(leaving: Departure, given: DestroyOptions) -> None:
    tasks = words.count(len(leaving.left.tasks), "task")
    if leaving.left.tasks and not given.stop_tasks:
        raise Stopped(
            f"nothing was done: {tasks} of the ECS cluster still run; uninstall Spillway first "
            "(`spillway drain` moves its pods), or say --stop-tasks"
        )
    if not given.yes and not leaving.is_nothing:
        too = f", and stop {tasks}" if leaving.left.tasks else ""
        confirm(f"Remove all this{too}?", as_json=given.as_json)


async def _remove(account: Prepared, leaving: Departure, console: Console) -> None:
    def progress(what: str, done: int, of: int) -> None:
        if done == of or not done % 25:
            console.print(f"done      {done} of {of} {what}")

    def told(step: Removal) -> None:
        if isinstance(step, Delete):
            console.print(f"done      {aws_words.key_of(step)}")

    try:
        await account.sweeper.stop(leaving.left.tasks, counted=progress)
        await account.account.remove(leaving.steps, told=told)  # type: ignore[arg-type]  # applies no plan
        await account.sweeper.remove(leaving.left, counted=progress)
    except PortFailure as failure:
        raise Stopped(f"{failure}; run destroy again: it goes on where this one stopped") from failure


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
    }
