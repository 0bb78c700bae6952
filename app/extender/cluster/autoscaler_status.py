"""What cluster-autoscaler says in its status ConfigMap: which node groups grow, and by how many nodes.

YAML since 1.30, a text for people before. Neither says what the nodes will look like.

Who may write a ConfigMap in its namespace may write this one, and every replica reads it: so its size, depth
and groups are bounded before anything is made of it, and the YAML is taken as scalars, lists and maps alone.

https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md (How can I monitor it)
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import msgspec
import yaml

STATUS_KEY: Final = "status"
"""The ConfigMap's one key."""

_GROWS: Final = "InProgress"
_LONGEST: Final = 512 * 1024
"""Characters; a group takes some 700. What is longer is not read, and nothing is on its way by it."""
_DEEPEST: Final = 16
"""Levels of YAML; the autoscaler writes seven. libyaml's loaders recurse, and end the process at 60,000."""
_MOST_GROUPS: Final = 500
_LONGEST_NAME: Final = 255
"""As of an Auto Scaling group."""

_COUNT: Final = re.compile(r"\d{1,6}", re.ASCII)
_SECONDS: Final = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})")
_GROUP: Final = re.compile(r"^[ \t]*Name:[ \t]+(\S{1,255})[ \t]*$", re.MULTILINE)
_TARGET: Final = re.compile(r"\bcloudProviderTarget=(\d{1,6})\b")
_REGISTERED: Final = re.compile(r"\bregistered=(\d{1,6})\b")
_LOST: Final = re.compile(r"\blongUnregistered=(\d{1,6})\b")
_SCALE_UP: Final = re.compile(
    r"^[ \t]*ScaleUp:[ \t]+InProgress\b.*\n"
    r"[ \t]*LastProbeTime:[ \t]+(.*)\n[ \t]*LastTransitionTime:[ \t]+(.*)$",
    re.MULTILINE,
)
_READER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Its parser alone is used, libyaml's where that is built in: the autoscaler writes every ten
seconds, and a hundred groups take the pure one a tenth of one."""

_Tree = str | list[Any] | dict[str, Any]


class _Unreadable(ValueError):
    """Something that the autoscaler does not write."""


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """A node group that grows.

    Attributes:
        group: its name, as the cloud provider has it (on AWS the Auto Scaling group's).
        nodes: how many of its machines have not joined the cluster yet; at least one.
        since: when it began to grow.
        seen: when the autoscaler last looked; an old look says nothing any more.
    """

    group: str
    nodes: int
    since: datetime
    seen: datetime


def growth_in(status: str) -> tuple[Growth, ...]:
    """The groups that grow, at most 500; none where the text is not a status.

    Args:
        status: the ConfigMap's `status`, in either form.
    """
    if len(status) > _LONGEST or _GROWS not in status:
        return ()
    found = _of_yaml(status) if "nodeGroups:" in status else _of_text(status)
    return tuple(islice(found, _MOST_GROUPS))


def _of_yaml(status: str) -> Iterator[Growth]:
    try:
        document = _tree(yaml.parse(status, Loader=_READER))
    except (yaml.YAMLError, ValueError):
        return
    groups = document.get("nodeGroups") if isinstance(document, dict) else None
    for each in groups if isinstance(groups, list) else ():
        found = _group(each)
        if found is not None:
            yield found


def _tree(events: Iterable[yaml.Event]) -> _Tree:
    """The first document: nested lists and maps of text, an alias or too many levels being an error.

    Raises:
        ValueError: it is none that the autoscaler writes.
        yaml.YAMLError: it is not YAML.
    """
    root: list[Any] = []
    path: list[list[Any]] = [root]
    for event in events:
        if isinstance(event, yaml.ScalarEvent):
            path[-1].append(event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(path) > _DEEPEST:
                raise _Unreadable
            path.append([])
        elif isinstance(event, yaml.CollectionEndEvent):
            items = path.pop()
            path[-1].append(items if isinstance(event, yaml.SequenceEndEvent) else _map(items))
        elif isinstance(event, yaml.AliasEvent):
            raise _Unreadable
        elif isinstance(event, yaml.DocumentEndEvent):
            break
    return root[0] if root else ""


def _map(items: list[Any]) -> dict[str, Any]:
    """Of keys and values by turns."""
    keys = items[::2]
    if not all(isinstance(key, str) for key in keys):
        raise _Unreadable
    return dict(zip(keys, items[1::2], strict=True))


def _group(group: Any) -> Growth | None:
    try:
        scale_up, health = group["scaleUp"], group["health"]
        if scale_up["status"] != _GROWS:
            return None
        counts = health["nodeCounts"]
        registered = counts["registered"]
        joined = _count(registered["total"]) - _count(registered.get("beingDeleted"))
        return _growth(
            group["name"],
            missing=_count(health["cloudProviderTarget"]) - joined - _count(counts.get("longUnregistered")),
            times=(scale_up.get("lastTransitionTime"), scale_up.get("lastProbeTime")),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _count(written: Any) -> int:
    """A number of nodes; what is left out is none of them."""
    if not written:
        return 0
    if not isinstance(written, str) or _COUNT.fullmatch(written) is None:
        raise _Unreadable
    return int(written)


def _of_text(status: str) -> Iterator[Growth]:
    _, _, groups = status.partition("NodeGroups:")
    names = list(_GROUP.finditer(groups))
    ends = [*(each.start() for each in names[1:]), len(groups)]
    for name, end in zip(names, ends, strict=False):
        found = _paragraph(name[1], groups[name.end() : end])
        if found is not None:
            yield found


def _paragraph(name: str, text: str) -> Growth | None:
    scale_up, target = _SCALE_UP.search(text), _TARGET.search(text)
    registered, lost = _REGISTERED.search(text), _LOST.search(text)
    if scale_up is None or target is None or registered is None:
        return None
    missing = int(target[1]) - int(registered[1]) - (int(lost[1]) if lost else 0)
    return _growth(name, missing=missing, times=(scale_up[2], scale_up[1]))


def _growth(name: Any, *, missing: int, times: tuple[object, object]) -> Growth | None:
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        return None
    since, seen = (_moment(each) for each in times)
    if missing <= 0 or since is None or seen is None:
        return None
    return Growth(group=name, nodes=missing, since=since, seen=seen)


def _moment(written: object) -> datetime | None:
    """A time to the second: both forms write UTC, and more digits than anybody needs."""
    match = _SECONDS.search(written) if isinstance(written, str) else None
    if match is None:
        return None
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC)
    except ValueError:
        return None
