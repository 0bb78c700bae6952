"""The text of a kubelet's `/metrics/resource`, read as metrics-server reads it.

https://kubernetes.io/docs/reference/instrumentation/node-metrics/#metrics-resource
As metrics-server's decode.go: a node without CPU or memory is left out, and so is a whole pod of which any
container lacks one.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from app.local.cluster.metrics.points import Point

_SAMPLE: Final = re.compile(r"(\w+)(?:\{(.*)\})?\s+(\S+)(?:\s+(\d+))?")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_NODE: Final = {"node_cpu_usage_seconds_total": "cpu", "node_memory_working_set_bytes": "memory"}
_CONTAINER: Final = {
    "container_cpu_usage_seconds_total": "cpu",
    "container_memory_working_set_bytes": "memory",
    "container_start_time_seconds": "started",
}
ContainerKey = tuple[str, str, str]
"""Namespace, pod, container."""


class Scrape(msgspec.Struct, frozen=True, kw_only=True):
    """One node's answer; no `node` where it has not measured itself."""

    node: Point | None
    containers: dict[ContainerKey, Point]


def scraped(text: str) -> Scrape:
    """The measurements in the text; lines that are none are passed over."""
    node: dict[str, float] = {}
    containers: dict[ContainerKey, dict[str, float]] = {}
    for name, labels, value, at in _samples(text):
        if name in _NODE:
            node |= {_NODE[name]: value, "at": at}
        elif name in _CONTAINER:
            key = (labels.get("namespace", ""), labels.get("pod", ""), labels.get("container", ""))
            entry = containers.setdefault(key, {})
            entry[_CONTAINER[name]] = value
            entry["at"] = max(at, entry.get("at", 0.0))
    incomplete = {key[:2] for key, entry in containers.items() if not _is_whole(entry)}
    whole = {key: entry for key, entry in containers.items() if key[:2] not in incomplete}
    return Scrape(
        node=Point(**node) if _is_whole(node) else None,
        containers={key: Point(**entry) for key, entry in whole.items()},
    )


def _samples(text: str) -> Iterator[tuple[str, dict[str, str], float, float]]:
    for line in text.splitlines():
        match = _SAMPLE.fullmatch(line.strip())
        if match is not None:
            name, labels, value, milliseconds = match.groups()
            try:
                measured = float(value)
            except ValueError:
                continue
            yield name, dict(_LABEL.findall(labels or "")), measured, int(milliseconds or 0) / 1000


def _is_whole(entry: dict[str, float]) -> bool:
    return bool(entry.get("cpu")) and bool(entry.get("memory"))
