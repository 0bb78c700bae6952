"""The MutatingWebhookConfiguration, and the pods that are tried."""

from typing import Any

import msgspec
import pytest

from app.doctor.finding import Level
from app.doctor.seen import Policy, Trial, Unread
from app.doctor.webhook import check
from tests.builders import a_pod
from tests.doctor.look import a_look, a_trial, not_ok, told, webhooks


def without(*paths: str) -> Any:
    [found] = webhooks()
    left = tuple(each for each in found.webhooks if each.name.partition(".")[0] not in paths)
    return (msgspec.structs.replace(found, webhooks=left),)


def renamed(name: str) -> Any:
    [found] = webhooks()
    return msgspec.structs.replace(found, metadata=msgspec.structs.replace(found.metadata, name=name))


def foreign(name: str) -> Any:
    [found] = webhooks()
    [entry, *_] = found.webhooks
    entries = (msgspec.structs.replace(entry, name="pods.example.com"),)
    return msgspec.structs.replace(renamed(name), webhooks=entries)


def test_a_configuration_as_it_is_registered_is_well() -> None:
    assert not_ok(check, a_look()) == []


def test_none_at_all_fails() -> None:
    assert (Level.FAIL, "no MutatingWebhookConfiguration calls Spillway: no pod opts in") in not_ok(
        check, a_look(webhooks=(foreign("other"),))
    )


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        pytest.param({"failurePolicy": "Fail"}, Level.WARN, "failurePolicy Fail", id="failure-policy"),
        pytest.param(
            {"clientConfig": {"url": "https://x"}}, Level.FAIL, "has no caBundle", id="no-authority"
        ),
        pytest.param(
            {"namespaceSelector": {}}, Level.FAIL, "does not select the namespaces", id="no-selector"
        ),
        pytest.param({"matchConditions": []}, Level.WARN, "has no matchConditions", id="no-conditions"),
    ],
)
def test_an_entry_that_differs_is_told(changes: Any, level: Level, said: str) -> None:
    found = not_ok(check, a_look(webhooks=webhooks(**changes)))
    assert found
    assert all(each == level and said in seen for each, seen in found)


def test_an_entry_that_is_missing_fails() -> None:
    [(level, seen)] = not_ok(check, a_look(webhooks=without("permitted")))
    assert (level, seen) == (Level.FAIL, "spillway lacks the entries permitted")


def test_with_the_other_actuator_no_entry_for_tolerant_pods_is_wanted() -> None:
    seen = a_look(webhooks=without("tolerant"), policy=Policy(actuator="toleration"), trials=())
    assert [level for level, _ in not_ok(check, seen)] == [Level.SKIP]


def test_without_a_published_policy_the_entries_tell_the_actuator() -> None:
    assert a_look(policy=None).actuator == "scheduler"
    assert a_look(policy=None, webhooks=without("tolerant")).actuator == "toleration"
    assert a_look(policy=None, webhooks=Unread("no")).actuator == "scheduler"


def test_without_a_configuration_of_ours_no_trial_is_judged() -> None:
    found = not_ok(check, a_look(webhooks=(foreign("policy-agent"),), trials=(a_trial(tolerations=[]),)))
    assert [level for level, _ in found] == [Level.FAIL, Level.SKIP]


def test_two_configurations_of_ours_are_told() -> None:
    found = not_ok(check, a_look(webhooks=(renamed("spillway"), renamed("old"))))
    assert [level for level, _ in found] == [Level.WARN]


def test_a_pod_that_comes_back_untouched_fails_with_where_to_look() -> None:
    trial = Trial(namespace="shop", word="enabled", pod=a_pod())
    text = told(check, a_look(trials=(trial,)))
    assert "FAIL a pod that is created in shop comes back as it was sent" in text
    assert "kubectl -n spillway logs -l app.kubernetes.io/component=webhook" in text


def test_a_toleration_that_somebody_strips_is_told_with_the_other_webhooks() -> None:
    seen = a_look(webhooks=(*webhooks(), foreign("policy-agent")), trials=(a_trial(tolerations=[]),))
    text = told(check, seen)
    assert "lacks the toleration: another webhook takes it away" in text
    assert "look at policy-agent" in text


def test_with_the_other_actuator_the_affinity_alone_is_wanted() -> None:
    trial = a_trial(tolerations=[], containers=[{"name": "main", "image": "it"}])
    seen = a_look(webhooks=without("tolerant"), policy=Policy(actuator="toleration"), trials=(trial,))
    assert not_ok(check, seen) == []


def test_a_trial_that_is_refused_is_skipped_with_the_refusal() -> None:
    trial = Trial(namespace="shop", word="enabled", pod=Unread("403 exceeded quota"))
    [(level, seen)] = not_ok(check, a_look(trials=(trial,)))
    assert (level, seen.endswith("403 exceeded quota")) == (Level.SKIP, True)
