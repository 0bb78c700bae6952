"""Flags made from settings, so that a flag, its variable and its documentation can never disagree."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from app import settings


def command(
    kind: type[settings.Common], run: Callable[[settings.Common], None], *, doc: str
) -> Callable[..., None]:
    """A typer command with one flag per field of `kind`, which loads the settings and calls `run`.

    Wrong settings end with exit code 2 and one line per fault.
    """

    def call(**flags: Any) -> None:
        try:
            loaded = settings.load(kind, flags)
        except settings.SettingsError as error:
            typer.secho(str(error), err=True, fg="red")
            raise typer.Exit(2) from error
        run(loaded)

    parameters = [_parameter(name, field) for name, field in kind.model_fields.items()]
    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    call.__doc__ = doc
    return call


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    plain: Any = bool | None if field.annotation is bool else str | None
    option = typer.Option(
        settings.flag(name)
        if plain != (bool | None)
        else f"{settings.flag(name)}/--no-{settings.flag(name)[2:]}",
        help=f"{field.description} \\[{settings.variable(name)}] \\[default: {shown(field.default)}]",
        show_default=False,
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[plain, option]
    )


def shown(default: object) -> str:
    """A default as a person would write it."""
    match default:
        case None | "" | ():
            return "none"
        case bool():
            return str(default).lower()
        case timedelta():
            whole_days = default >= timedelta(days=1) and not default % timedelta(days=1)
            return f"{default.days}d" if whole_days else f"{default.total_seconds():g}s"
        case tuple():
            return ",".join(map(str, default))
        case _:
            return str(default)
