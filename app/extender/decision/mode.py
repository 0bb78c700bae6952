"""What people let the gate do: `auto`, `closed`, `open` or `observe`, on all virtual nodes or on one."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from app.extender.decision.decisions import Decision, Refuse, Wait
from app.model.names import GATE
from app.model.node import Node
from app.model.reason import Reason
from app.model.setting import named

Mode = Literal["auto", "closed", "open", "observe"]
"""How a gate is run.

- `auto`: pods burst when waiting is over and budgets allow.
- `closed`: no new grant; standing ones are withdrawn, what runs is left alone.
- `open`: as `auto`, but nobody waits for time to pass; budgets and refusals hold.
- `observe`: nothing is granted nor spent; it is decided as in `auto`, and told what would have burst.
"""

Modes = Mapping[str, Mode]
"""The mode of each virtual node, by name."""

_MODES: Final[Mapping[str, Mode]] = {each: each for each in get_args(Mode)}
GIVES_GRANTS: Final[frozenset[Mode]] = frozenset({"auto", "open"})
OPEN: Final[frozenset[Mode]] = frozenset({"open"})
OBSERVES: Final[frozenset[Mode]] = frozenset({"observe"})
GATE_CLOSED: Final = Reason(
    "GateClosed",
    f"the gate of every virtual node that suits is closed; set the annotation {GATE} on the node, or "
    f"{named('extender', 'gate')}, to auto",
)


def mode_of(node: Node, *, default: Mode) -> Mode:
    """The node's own word, or the default; a word that means nothing closes the gate."""
    return _MODES.get(_said(node, default), "closed")


def fault_of(node: Node) -> Reason | None:
    """What is wrong with the node's word; None where it is a good one, or says nothing."""
    said = _said(node, "auto")
    if said in _MODES:
        return None
    message = f'annotation {GATE} is "{said[:24]}", so the gate is closed; write {", ".join(_MODES)}'
    return Reason("InvalidGate", message, f"metadata.annotations[{GATE}]")


def modes_of(nodes: Iterable[Node], *, default: Mode) -> dict[str, Mode]:
    """The mode of each node, by name."""
    return {node.name: mode_of(node, default=default) for node in nodes}


def only_waits_for_time(decision: Decision | None) -> bool:
    """Whether nothing but the clock keeps the pod: what `open` passes over."""
    return isinstance(decision, Wait | Refuse) and decision.until is not None


def _said(node: Node, default: str) -> str:
    return node.metadata.annotations.get(GATE, "").strip() or default
