"""What a setting is called: a flag to whoever starts a program, a value to whoever installs the chart."""

from typing import Literal

Program = Literal["webhook", "extender", "bridge", "issuer"]
"""As the chart names them, too."""


def flag(field: str) -> str:
    """The flag of a field of `app.settings`: `node_name` → `--node-name`."""
    return "--" + field.replace("_", "-")


def camel(field: str) -> str:
    """The field's name among the chart's values: `node_name` → `nodeName`."""
    first, *others = field.split("_")
    return first + "".join(each.capitalize() for each in others)


def named(program: Program, field: str) -> str:
    """Both, as mends name them: `--max-pods (extender.settings.maxPods)`."""
    return f"{flag(field)} ({program}.settings.{camel(field)})"
