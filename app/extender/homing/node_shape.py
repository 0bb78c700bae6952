"""What a node is like that the autoscaler would add, what an hour of it costs, and how pods fill it."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from app.extender.homing.fit import by_size
from app.extender.homing.node_prices import estimated, listed
from app.model.names import ARCH_LABEL, INSTANCE_TYPE_LABEL
from app.model.node import Node, allocatable
from app.model.offer import Arch
from app.model.pod import Pod
from app.model.quantity import QuantityError
from app.model.requests import requests_of
from app.model.resources import Resources

_PODS: Final = 110
"""Pod slots of a node whose shape a setting gives: kubelet's default."""

_PLENTY: Final = 2**50
"""Bytes of ephemeral storage of such a node: nobody said how many."""

_ARM: Arch = "arm64"


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One node.

    Attributes:
        room: what it has for pods.
        hourly: US dollars for an hour of it.
        source: where the price is from: `setting`, `table` (`node_prices`) or `estimate`.
        name: its instance type, where known.
    """

    room: Resources
    hourly: float
    source: Literal["setting", "table", "estimate"]
    name: str = ""


class Load(msgspec.Struct, frozen=True):
    """A pod that overflows, and what it costs on Fargate in an hour."""

    pod: Pod
    hourly: float


class Bin(msgspec.Struct, frozen=True):
    """The pods that one node would carry, and what they cost on Fargate in an hour, together."""

    loads: tuple[Load, ...]
    hourly: float


def room_of(text: str) -> Resources:
    """A node's room as people write it: `cpu=3900m,memory=14Gi`, and `pods`, `ephemeral-storage` at will.

    Raises:
        ValueError: it says nothing of cpu or memory, or something else than these four.
    """
    parts = [part.strip() for part in text.split(",")]
    bare = next((part for part in parts if "=" not in part), None)
    if bare is not None:
        raise ValueError(f'"{bare}" has no amount; write for instance cpu=3900m,memory=14Gi')
    pairs = dict(part.partition("=")[::2] for part in parts)
    try:
        room = Resources.parse(pairs)
    except QuantityError as error:
        raise ValueError(f"{error}; write for instance cpu=3900m,memory=14Gi") from error
    if room.extended or room.cpu_milli <= 0 or room.memory <= 0:
        raise ValueError(f'"{text}" is no room of a node; write for instance cpu=3900m,memory=14Gi')
    return room


def shape_of(nodes: Iterable[Node], *, given: Resources | None, hourly: float | None) -> Shape | None:
    """The shape to count with; None where there is neither a node nor a setting.

    Without a setting it is the commonest among the nodes: the cluster's own choice so far.

    Args:
        nodes: the real nodes that the pods could use.
        given: cpu and memory of a node, where a setting says so.
        hourly: its price, where a setting says so.
    """
    found = _commonest(nodes)
    if given is not None:
        room = given if given.pods else msgspec.structs.replace(given, pods=_PODS)
        room = msgspec.structs.replace(room, storage=room.storage or _PLENTY)
        return _priced(room, "", _arch(found), hourly)
    if found is None:
        return None
    return _priced(
        allocatable(found), found.metadata.labels.get(INSTANCE_TYPE_LABEL, ""), _arch(found), hourly
    )


def packed(loads: Iterable[Load], room: Resources) -> tuple[Bin, ...]:
    """The pods on as many such nodes as they need, first fit, the largest first; the dearest bin leads.

    Pods that fit on no such node are left out.
    """
    rooms: list[Resources] = []
    carried: list[list[Load]] = []
    full: dict[Resources, int] = {}
    for load in sorted(loads, key=lambda each: (*by_size(each.pod), each.pod.uid)):
        asked = _asked(load.pod)
        if asked is None or not asked.fits(room):
            continue
        # Room only shrinks: where one of a size did not fit, none of that size does.
        index = full.get(asked, 0)
        while index < len(rooms) and not asked.fits(rooms[index]):
            index += 1
        full[asked] = index
        if index == len(rooms):
            rooms.append(room)
            carried.append([])
        rooms[index] -= asked
        carried[index].append(load)
    bins = (Bin(tuple(each), sum(load.hourly for load in each)) for each in carried)
    return tuple(sorted(bins, key=lambda each: -each.hourly))


def _commonest(nodes: Iterable[Node]) -> Node | None:
    """A node of the commonest shape; of several as common, the one whose name sorts first."""
    kinds: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], Node] = {}
    for node in nodes:
        if _is_usable(node):
            kind = _kind(node)
            kinds[kind] += 1
            examples.setdefault(kind, node)
    if not kinds:
        return None
    return examples[min(kinds, key=lambda kind: (-kinds[kind], kind))]


def _kind(node: Node) -> tuple[str, str, str]:
    has = node.status.allocatable
    return (node.metadata.labels.get(INSTANCE_TYPE_LABEL, ""), has.get("cpu", ""), has.get("memory", ""))


def _is_usable(node: Node) -> bool:
    try:
        room = allocatable(node)
    except QuantityError:
        return False
    return room.cpu_milli > 0 and room.memory > 0


def _priced(room: Resources, name: str, arch: Arch, hourly: float | None) -> Shape:
    if hourly is not None:
        return Shape(room=room, hourly=hourly, source="setting", name=name)
    price = listed(name)
    if price is not None:
        return Shape(room=room, hourly=price, source="table", name=name)
    return Shape(room=room, hourly=estimated(room, arch), source="estimate", name=name)


def _arch(node: Node | None) -> Arch:
    return _ARM if node is not None and node.metadata.labels.get(ARCH_LABEL) == _ARM else "amd64"


def _asked(pod: Pod) -> Resources | None:
    try:
        return requests_of(pod)
    except QuantityError:
        return None
