"""What several processes of one program counted, as one page for Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class _Sample(msgspec.Struct, frozen=True, array_like=True):
    name: str
    labels: dict[str, str]
    value: float


class _Family(msgspec.Struct, frozen=True, array_like=True):
    name: str
    documentation: str
    kind: str
    samples: tuple[_Sample, ...]


_NONE: Final = msgspec.msgpack.encode(())


def sent(registry: CollectorRegistry) -> bytes:
    """All that is counted here, for another process."""
    return msgspec.msgpack.encode(
        [
            _Family(
                family.name,
                family.documentation,
                family.type,
                tuple(_Sample(each.name, each.labels, each.value) for each in family.samples),
            )
            for family in registry.collect()
        ]
    )


def page(registry: CollectorRegistry, *, others: bytes = _NONE) -> bytes:
    """The text of what is counted here, together with what another process has `sent`.

    A number that both have is their sum; the time since when it is counted (`_created`) is the earlier one.
    """
    both = CollectorRegistry()
    both.register(_Both([registry.collect(), _received(others)]))
    return generate_latest(both)


class _Both(Collector):
    def __init__(self, several: Iterable[Iterable[Metric]]) -> None:
        self._families = _merged(several)

    def collect(self) -> Iterable[Metric]:
        return self._families


def _received(others: bytes) -> Iterable[Metric]:
    for family in msgspec.msgpack.decode(others, type=tuple[_Family, ...]):
        metric = Metric(family.name, family.documentation, family.kind)
        for each in family.samples:
            metric.add_sample(each.name, each.labels, each.value)
        yield metric


def _merged(several: Iterable[Iterable[Metric]]) -> list[Metric]:
    families: dict[str, Metric] = {}
    values: dict[str, dict[tuple[str, frozenset[tuple[str, str]]], float]] = {}
    for family in (family for each in several for family in each):
        families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
        known = values.setdefault(family.name, {})
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            known[key] = _together(sample.name, known.get(key), sample.value)
    for name, metric in families.items():
        for (sample_name, labels), value in values[name].items():
            metric.add_sample(sample_name, dict(sorted(labels)), value)
    return list(families.values())


def _together(name: str, known: float | None, value: float) -> float:
    if known is None:
        return value
    return min(known, value) if name.endswith("_created") else known + value
