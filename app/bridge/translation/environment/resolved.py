"""A container's environment and command line, resolved before launch as far as a kubelet's rules allow."""

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from app.bridge.config import TaskSettings
from app.bridge.translation.environment.expansion import (
    Slot,
    Text,
    TextTooLongError,
    expanded,
    is_late,
    is_own,
    plain,
    rendered,
    slots,
)
from app.bridge.translation.environment.hostname import HOSTNAME, hostname_of
from app.bridge.translation.environment.variables import VALUE_PREFIX, variables_of
from app.bridge.translation.material import Material, Unready
from app.bridge.translation.scene import Scene
from app.model.container import Container
from app.model.pod import Pod
from app.model.reason import Reason

_REFERABLE: Final = re.compile(r"[A-Za-z_][-._A-Za-z0-9]*")
"""Names that stand in `$(NAME)` and in a line of the helper without a doubt."""

_NAMELESS: Final = f"{VALUE_PREFIX}{{}}"
"""For a value that no variable holds in the end, since it was overwritten after it was referred to."""

_ON_THE_WIRE: Final = re.compile(r"[^\s-]\S*|-\S+")
"""Names that can be a field of the helper's lines (helper/README.md)."""


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """The words of one container: `command` and `args` as in the pod, with variables expanded.

    Attributes:
        environment: final values that are known before launch.
        secrets: variable → `valueFrom` of a container definition.
        run: lines of the helper's `SPILLWAY_RUN`, for what is known only inside the task. With the line
            `words`, command and args are what the helper expands: whoever adds words to them (an image's
            entry point) has to `expansion.escape` them.
        own: the variables whose values are this pod's alone (its name, its uid, …); the others are its
            template's.
        own_command: whether command or args hold such a value.
    """

    environment: dict[str, str]
    command: tuple[str, ...]
    args: tuple[str, ...]
    secrets: dict[str, str] = {}
    run: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    own_command: bool = False


def resolve(
    container: Container, *, pod: Pod, material: Material, settings: TaskSettings, field: str
) -> Resolved | Unready | tuple[Reason, ...]:
    """The container's environment, command and args; what is missing for them; or every reason against them.

    https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/

    Args:
        container: one of the pod's.
        pod: whose container it is.
        material: what was found for the pod.
        settings: the operator's.
        field: the container's path in the pod, as `spec.containers[0]`.
    """
    scene = Scene(pod=pod, material=material, settings=settings)
    values = variables_of(container, scene=scene, field=field)
    if not isinstance(values, Mapping):
        return values
    hostname = hostname_of(pod, cluster_domain=settings.cluster_domain)
    if isinstance(hostname, Reason):
        return (hostname,)
    try:
        words = [expanded(word, values.get) for word in (*container.command, *container.args)]
    except TextTooLongError as error:
        message = f"a word of command or args {error}; shorten it"
        return (Reason("WordsTooLong", message, f"{field}.args"),)
    settled = {**values, HOSTNAME: values.get(HOSTNAME, (Slot("own", HOSTNAME, hostname),))}
    return _unspoken(settled, field=field) or _resolved(settled, words, commands=len(container.command))


def _unspoken(values: Mapping[str, Text], *, field: str) -> tuple[Reason, ...]:
    """Why the helper cannot be told of a variable that it has to make."""
    message = "is made inside the task, where its name must have no space and be more than a dash; rename it"
    return tuple(
        Reason("VariableName", f'variable "{name}" {message}', f"{field}.env")
        for name, text in values.items()
        if is_late(text) and _stored_at(text) is None and not _ON_THE_WIRE.fullmatch(name)
    )


def _resolved(values: Mapping[str, Text], words: Sequence[Text], *, commands: int) -> Resolved:
    late_words = any(is_late(word) for word in words)
    made = {name: text for name, text in values.items() if is_late(text) and _sole(text) is None}
    named = _names(values, asking=[*made.values(), *(words if late_words else ())])
    hidden = {name: (slot,) for slot, name in named.items() if name not in values}
    every: dict[str, Text] = {**values, **hidden}
    run = [
        *(f"fact {name} {fact}" for name, text in every.items() if (fact := _fact_in(text)) is not None),
        *(f"env {name} {_encoded(rendered(text, named))}" for name, text in made.items()),
        *(["words"] if late_words else []),
    ]
    done = tuple(rendered(word, named) if late_words else plain(word) for word in words)
    return Resolved(
        environment={name: plain(text) for name, text in every.items() if not is_late(text)},
        secrets={name: kept for name, text in every.items() if (kept := _stored_at(text)) is not None},
        run=tuple(run),
        command=done[:commands],
        args=done[commands:],
        own=frozenset(name for name, text in every.items() if is_own(text) and not is_late(text)),
        own_command=not late_words and any(is_own(word) for word in words),
    )


def _names(values: Mapping[str, Text], *, asking: Iterable[Text]) -> dict[Slot, str]:
    """A variable for each slot in those texts: one that holds just it, or one more for it."""
    holders = {
        slot: name
        for name, text in sorted(values.items(), reverse=True)
        if (slot := _sole(text)) is not None and _REFERABLE.fullmatch(name)
    }
    wanted = dict.fromkeys(slot for text in asking for slot in slots(text))
    nameless = [slot for slot in wanted if slot not in holders]
    hidden = {slot: _NAMELESS.format(number) for number, slot in enumerate(nameless, start=1)}
    return {slot: holders.get(slot) or hidden[slot] for slot in wanted}


def _sole(text: Text) -> Slot | None:
    """The slot that is the whole text."""
    first = text[0] if len(text) == 1 else ""
    return first if isinstance(first, Slot) else None


def _stored_at(text: Text) -> str | None:
    slot = _sole(text)
    return slot.origin if slot is not None and slot.kind == "secret" else None


def _fact_in(text: Text) -> str | None:
    slot = _sole(text)
    return slot.origin if slot is not None and slot.kind == "fact" else None


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
