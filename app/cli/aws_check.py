"""`spillway aws check`: one line for each thing that has to be right."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import typer
from rich.console import Console
from rich.text import Text

from app.aws.account.checks.finding import Finding, Level
from app.aws.account.checks.judgement import worst
from app.aws.account.wish import Wish
from app.cli.aws_asking import console_of, perform
from app.cli.aws_words import waiting
from app.wiring.account import prepared

EXIT: Final = {Level.OK: 0, Level.WARN: 1, Level.FAIL: 2}
"""Exit codes. Where AWS cannot be asked at all it is 2 as well."""

_WIDTH: Final = 6
_STYLES: Final = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """The flags of `spillway aws check`."""

    name: str
    region: str
    wish: Wish
    as_json: bool


def run(options: CheckOptions) -> int:
    """Look, and say what is missing; the exit code."""
    return perform(_run(options), as_json=options.as_json)


async def _run(given: CheckOptions) -> int:
    console = console_of(aside=given.as_json)
    async with prepared(region=given.region, name=given.name, waiting=waiting(console)) as account:
        names = account.account.names
        console.print(f"installation {names.name} in account {names.account}, {names.region}")
        findings = await account.findings(given.wish)
    for each in findings:
        _show(each, console)
    level = worst(findings)
    console.print(_summary(findings))
    if given.as_json:
        told = [{"level": each.level.value, **_words(each)} for each in findings]
        typer.echo(json.dumps({"level": level.value, "findings": told}))
    return EXIT[level]


def _words(each: Finding) -> dict[str, str]:
    return {"subject": each.subject, "said": each.said, "mend": each.mend}


def _show(each: Finding, console: Console) -> None:
    line = Text(f"{each.level.value:<{_WIDTH}}", style=_STYLES[each.level])
    mend = f" -> {each.mend}" if each.mend else ""
    line.append(f"{each.subject}: {each.said}{mend}", style="none")
    console.print(line)


def _summary(findings: Sequence[Finding]) -> str:
    counts = {level: sum(each.level is level for each in findings) for level in Level}
    return ", ".join(f"{number} {level.value}" for level, number in counts.items())
