"""The scheduler's configuration, and whether somebody runs by it."""

import json
from typing import Any

import msgspec
import pytest
import yaml

from app.doctor.finding import Level
from app.doctor.scheduler import check
from app.doctor.seen import Policy, Unread
from app.model.objects import ConfigMap
from tests.doctor.look import (
    NAMESPACE,
    SCHEDULER_LEASE,
    a_configuration,
    a_lease,
    a_look,
    a_trial,
    configured,
    not_ok,
    told,
)
from tests.doctor.test_webhook import without

EARLY = Policy(early_burst=True)


def test_the_configuration_that_spillway_writes_is_well() -> None:
    assert not_ok(check, a_look()) == []
    early = a_configuration(prioritizeVerb="prioritize")
    assert not_ok(check, a_look(config_maps=configured(early), policy=EARLY)) == []


@pytest.mark.parametrize(
    ("changes", "level", "said", "mend"),
    [
        pytest.param({"filterVerb": None}, Level.FAIL, "lacks filterVerb", "filterVerb: filter", id="filter"),
        pytest.param(
            {"preemptVerb": None}, Level.FAIL, "lacks preemptVerb", "preemptVerb: preempt", id="preempt"
        ),
        pytest.param(
            {"nodeCacheCapable": False},
            Level.WARN,
            "lacks nodeCacheCapable",
            "nodeCacheCapable: true",
            id="cache",
        ),
        pytest.param({"ignorable": False}, Level.WARN, "lacks ignorable", "ignorable: true", id="ignorable"),
        pytest.param(
            {"httpTimeout": "30s"}, Level.WARN, "httpTimeout is 30s", "httpTimeout: 2s", id="timeout"
        ),
        pytest.param(
            {"httpTimeout": None}, Level.WARN, "httpTimeout is not set", "httpTimeout: 2s", id="no-timeout"
        ),
        pytest.param(
            {"urlPrefix": "http://spillway-extender:80"}, Level.WARN, "without TLS", "https://", id="plain"
        ),
        pytest.param(
            {"tlsConfig": None}, Level.WARN, "names no authority", "caFile or caData", id="no-authority"
        ),
        pytest.param(
            {"managedResources": None, "urlPrefix": "https://spillway-extender.spillway.svc"},
            Level.WARN,
            "asks about every pod",
            "spillway.dev/overflow",
            id="all-pods",
        ),
        pytest.param(
            {"prioritizeVerb": "prioritize"},
            Level.WARN,
            "early bursts alone",
            "--early-burst",
            id="idle-verb",
        ),
    ],
)
def test_a_field_that_differs_is_told_with_what_to_write(
    changes: Any, level: Level, said: str, mend: str
) -> None:
    seen = a_look(config_maps=configured(a_configuration(**changes)))
    [found] = [each for each in check(seen) if each.level != Level.OK]
    assert (found.level, said in found.seen, mend in found.mend) == (level, True, True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({}, "early bursts, which are on, never happen", id="no-verb"),
        pytest.param({"prioritizeVerb": "prioritize", "weight": 1}, "has weight 1", id="light"),
    ],
)
def test_early_bursts_want_the_verb_and_the_weight(changes: Any, said: str) -> None:
    seen = a_look(config_maps=configured(a_configuration(**changes)), policy=EARLY)
    [(level, found)] = not_ok(check, seen)
    assert (level, said in found) == (Level.WARN, True)


def test_marked_pods_alone_without_an_entry_that_marks_tolerant_ones_fails() -> None:
    text = told(check, a_look(webhooks=without("tolerant")))
    assert "FAIL" in text
    assert "those land on virtual nodes unasked" in text


def test_without_a_configuration_it_is_skipped_for_it_may_be_a_file() -> None:
    other = a_configuration(urlPrefix="https://other.example", managedResources=None)
    assert [level for level, _ in not_ok(check, a_look(config_maps=configured(other)))] == [Level.SKIP]
    assert [level for level, _ in not_ok(check, a_look(config_maps=configured()))] == [Level.SKIP]


def test_a_configuration_that_is_no_yaml_fails() -> None:
    broken = msgspec.convert(
        {"metadata": {"name": "x"}, "data": {"a": "kind: KubeSchedulerConfiguration\n\tb: ["}}, ConfigMap
    )
    [(level, seen), _] = not_ok(check, a_look(config_maps=configured(broken)))
    assert (level, "ConfigMap spillway/x, a cannot be read" in seen) == (Level.FAIL, True)


def test_with_the_other_actuator_nobody_is_asked() -> None:
    seen = a_look(policy=Policy(actuator="toleration"), config_maps=configured())
    assert not_ok(check, seen) == []


def test_pods_that_are_sent_to_a_scheduler_that_asks_nobody_fail() -> None:
    [(level, seen)] = not_ok(check, a_look(trials=(a_trial(schedulerName="batch"),)))
    assert (level, "the schedulerName batch, which asks nobody" in seen) == (Level.FAIL, True)


@pytest.mark.parametrize(
    ("lease", "said"),
    [
        pytest.param(None, "there is no Lease", id="none"),
        pytest.param(a_lease(""), "nobody holds its Lease", id="unheld"),
        pytest.param(a_lease(ago=90), "renewed last 90 s ago", id="stale"),
    ],
)
def test_a_scheduler_that_does_not_run_fails(lease: Any, said: str) -> None:
    [(level, seen)] = not_ok(check, a_look(scheduler_leases={SCHEDULER_LEASE: lease}))
    assert (level, said in seen) == (Level.FAIL, True)


def test_a_lease_that_may_not_be_read_is_skipped() -> None:
    [(level, seen)] = not_ok(check, a_look(scheduler_leases={SCHEDULER_LEASE: Unread("403")}))
    assert (level, f"who holds the Lease {SCHEDULER_LEASE}" in seen) == (Level.SKIP, True)


def test_what_can_be_read_is_judged_though_the_other_namespace_cannot() -> None:
    half = {NAMESPACE: (a_configuration(filterVerb=None),), "kube-system": Unread("403")}
    found = not_ok(check, a_look(config_maps=half))
    assert [level for level, _ in found] == [Level.SKIP, Level.FAIL]
    assert "which ConfigMaps are in kube-system cannot be read: 403" in found[0][1]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("To configure: write a KubeSchedulerConfiguration\n\t- [as this", id="a page"),
        pytest.param("#!/bin/sh\ngrep 'kind: KubeSchedulerConfiguration' $1 || {", id="a script"),
    ],
)
def test_a_text_that_only_speaks_of_a_configuration_is_none(text: str) -> None:
    other = msgspec.convert({"metadata": {"name": "x"}, "data": {"a": text}}, ConfigMap)
    assert not_ok(check, a_look(config_maps=configured(other, a_configuration()))) == []


def test_a_configuration_in_one_line_of_json_is_one() -> None:
    written = yaml.safe_load(a_configuration(filterVerb=None).data["config.yaml"])
    text = json.dumps({"apiVersion": "kubescheduler.config.k8s.io/v1", **written})
    inline = msgspec.convert({"metadata": {"name": "x"}, "data": {"a": text}}, ConfigMap)
    [(_, seen)] = not_ok(check, a_look(config_maps=configured(inline)))
    assert "lacks filterVerb" in seen
