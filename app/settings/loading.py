"""From flags and environment to settings, or every fault in them."""

from collections.abc import Iterator
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from app.model.setting import flag, value
from app.settings.bridge import BridgeSettings
from app.settings.common import PREFIX, Common
from app.settings.extender import ExtenderSettings
from app.settings.issuer import IssuerSettings
from app.settings.webhook import WebhookSettings

Some = TypeVar("Some", bound=Common)

_SHOWN: Final = 60
"""Characters that are quoted of a value."""


class SettingsError(ValueError):
    """Settings that cannot work; each line names a flag, its variable, the chart's value and the mend."""


PROGRAMS: Final[dict[str, type[Common]]] = {
    "webhook": WebhookSettings,
    "extender": ExtenderSettings,
    "bridge": BridgeSettings,
    "issuer": IssuerSettings,
}


def variable(name: str) -> str:
    """The environment variable of a field: `node_name` → `SPILLWAY_NODE_NAME`."""
    return PREFIX + name.upper()


def load(kind: type[Some], flags: dict[str, Any]) -> Some:
    """Settings from flags over environment over defaults.

    Args:
        kind: the program's settings.
        flags: the flags that were given, by field name.

    Raises:
        SettingsError: with every fault, not the first.
    """
    try:
        return kind(**{name: given for name, given in flags.items() if given is not None})
    except ValidationError as error:
        raise SettingsError("\n".join(_fault(kind, each) for each in error.errors())) from error


def _fault(kind: type[Common], error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    where = [str(part) for part in error["loc"]]
    if not where:
        return message
    given = error["input"]
    said = f'"{given[:_SHOWN]}": ' if isinstance(given, str) and f'"{given[:_SHOWN]}"' not in message else ""
    return f"{flag(where[0])} ({', '.join(_other_names(kind, where[0]))}): {said}{message}"


def _other_names(kind: type[Common], name: str) -> Iterator[str]:
    """The variable, and the chart's value where it has one."""
    yield variable(name)
    program = next(program for program, each in PROGRAMS.items() if each is kind)
    if value(program, name):
        yield value(program, name)
