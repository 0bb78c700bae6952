"""Two processes' numbers on one page."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from app.telemetry.families import page, sent


def counted(registry: CollectorRegistry, name: str, times: int, *, path: str = "/pods") -> None:
    """A counter that was raised so often."""
    Counter(name, "What.", ["path"], registry=registry).labels(path).inc(times)


def values(text: bytes) -> dict[tuple[str, str], float]:
    """The page's numbers, by name and path."""
    families = text_string_to_metric_families(text.decode())
    return {
        (each.name, each.labels.get("path", "")): each.value
        for family in families
        for each in family.samples
        if not each.name.endswith("_created")
    }


def test_a_page_shows_what_either_counted() -> None:
    here, there = CollectorRegistry(), CollectorRegistry()
    Gauge("leader", "Who.", registry=here).set(1)
    counted(there, "answers", 3)
    assert values(page(here, others=sent(there))) == {("leader", ""): 1.0, ("answers_total", "/pods"): 3.0}


def test_what_both_count_is_one_family_with_the_sum_of_each_label() -> None:
    here, there = CollectorRegistry(), CollectorRegistry()
    counted(here, "failures", 1)
    counted(there, "failures", 2)
    text = page(here, others=sent(there))
    assert values(text) == {("failures_total", "/pods"): 3.0}
    assert text.count(b"# TYPE failures_total counter") == 1


def test_a_label_that_only_one_knows_is_shown_as_it_is() -> None:
    here, there = CollectorRegistry(), CollectorRegistry()
    counted(here, "failures", 1, path="/nodes")
    counted(there, "failures", 2)
    assert values(page(here, others=sent(there))) == {
        ("failures_total", "/nodes"): 1.0,
        ("failures_total", "/pods"): 2.0,
    }


def test_the_earlier_beginning_counts() -> None:
    here, there = CollectorRegistry(), CollectorRegistry()
    counted(here, "failures", 1)
    counted(there, "failures", 2)
    begun = here.get_sample_value("failures_created", {"path": "/pods"})
    text = page(there, others=sent(here)).decode()
    created = [line.split()[-1] for line in text.splitlines() if line.startswith("failures_created{")]
    assert [float(each) for each in created] == [pytest.approx(begun, abs=1e-3)]


def test_a_histogram_keeps_its_buckets_in_order() -> None:
    here, there = CollectorRegistry(), CollectorRegistry()
    Histogram("seconds", "How long.", buckets=(1.0, 2.0), registry=there).observe(1.5)
    lines = page(here, others=sent(there)).decode().splitlines()
    assert [line for line in lines if line.startswith("seconds_bucket")] == [
        'seconds_bucket{le="1.0"} 0.0',
        'seconds_bucket{le="2.0"} 1.0',
        'seconds_bucket{le="+Inf"} 1.0',
    ]


def test_alone_it_shows_its_own() -> None:
    here = CollectorRegistry()
    counted(here, "failures", 1)
    assert values(page(here)) == {("failures_total", "/pods"): 1.0}
