"""What travels in RunTask's overrides, and what in the task definition (docs/decisions/0011).

Whatever may differ between two pods goes into the overrides, so that pods share definitions: registering
one is allowed once a second, launching twenty times. Only where the overrides would grow beyond what RunTask
takes do the words that the pod's template fixes move into the definition.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from app.model.reason import Reason
from app.model.wire import Json

OVERRIDES_LIMIT: Final = 8_192
"""Characters of JSON: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html."""

DEFINITION_LIMIT: Final = 64 * 1024
"""https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html, task definition size."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What one container is told.

    Attributes:
        shared: variables that stand in the definition in any case: they are long, and their template's.
        fixed: the template's other variables.
        own: this pod's variables.
        command: all words after the entry point, which only a definition can hold.
        own_command: whether they are this pod's.
    """

    container: str
    shared: dict[str, str] = {}
    fixed: dict[str, str] = {}
    own: dict[str, str] = {}
    command: tuple[str, ...] = ()
    own_command: bool = False


class Travelling(msgspec.Struct, frozen=True):
    """RunTask's `overrides`, and what each container definition holds besides, by the container's name."""

    overrides: dict[str, Json]
    written: Mapping[str, dict[str, Json]]


def travelling(words: Sequence[Words], *, role: str) -> Travelling:
    """Who carries which words.

    Args:
        words: of every container that is told anything.
        role: the task role in place of the definition's; empty keeps that.
    """
    light = {each.container: _filled(each.shared, ()) for each in words}
    everything = [_override(each, {**each.fixed, **each.own}, each.command) for each in words]
    overrides = _overrides(everything, role=role)
    if length(overrides) <= OVERRIDES_LIMIT:
        return Travelling(overrides, light)
    least = [_override(each, each.own, each.command if each.own_command else ()) for each in words]
    heavy = {
        each.container: _filled({**each.shared, **each.fixed}, () if each.own_command else each.command)
        for each in words
    }
    return Travelling(_overrides(least, role=role), heavy)


def length(overrides: Mapping[str, Json]) -> int:
    """How many characters RunTask counts, or a few more."""
    return len(json.dumps(overrides))


def too_large(body: Mapping[str, Json], overrides: Mapping[str, Json]) -> tuple[Reason, ...]:
    """Why ECS would not take them for their size; a value is never cut."""
    reasons: list[Reason] = []
    written = length(overrides)
    if written > OVERRIDES_LIMIT:
        message = (
            f"environment, command, args, tokens and files that are this pod's own take {written} of "
            f"{OVERRIDES_LIMIT} characters; shorten them, or bake them into the image"
        )
        reasons.append(Reason("OverridesTooLarge", message, "spec.containers"))
    if len(msgspec.json.encode(body)) > DEFINITION_LIMIT:
        message = "the task definition exceeds 64 KB; shorten the containers' fields, or move them to Secrets"
        reasons.append(Reason("DefinitionTooLarge", message, "spec.containers"))
    return tuple(reasons)


def _overrides(containers: Sequence[Mapping[str, Json]], *, role: str) -> dict[str, Json]:
    told: list[Json] = [each for each in containers if len(each) > 1]
    return {"containerOverrides": told, **({"taskRoleArn": role} if role else {})}


def _override(words: Words, environment: Mapping[str, str], command: Sequence[str]) -> dict[str, Json]:
    return {"name": words.container, **_filled(environment, command)}


def _filled(environment: Mapping[str, str], command: Sequence[str]) -> dict[str, Json]:
    pairs = [{"name": name, "value": value} for name, value in sorted(environment.items())]
    return {**({"environment": pairs} if pairs else {}), **({"command": list(command)} if command else {})}
