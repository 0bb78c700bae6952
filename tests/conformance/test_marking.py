"""The marker's way through admission: that it is valid, and whom the entry for tolerant pods meets."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.local.registration import CONDITIONS
from app.model.names import MARKER, OVERFLOW, TAINT_EFFECT, TAINT_KEY, TAINT_VALUE
from app.model.pod import Pod
from app.webhook.mutation import Mutation, decide, decide_tolerant
from tests.conformance.servers import ApiServer, Json, Space, a_pod, unique
from tests.conformance.webhooks import CONFIGURATIONS, Webhook, allowed, configured, webhook

MARKED = {"limits": {MARKER: "0"}, "requests": {MARKER: "0"}}
EVERYTHING: Json = {"operator": "Exists"}
OURS: Json = {"key": TAINT_KEY, "value": TAINT_VALUE, "effect": TAINT_EFFECT}
REFUSED = 422


def marking(request: Json) -> Json:
    """What Spillway's webhook answers at the path for tolerant pods."""
    verdict = decide_tolerant(msgspec.convert(request["object"], Pod))
    return allowed(request, list(verdict.patch) if isinstance(verdict, Mutation) else None)


def preparing(request: Json) -> Json:
    """What it answers where the namespace opted in."""
    verdict = decide(msgspec.convert(request["object"], Pod), namespace={OVERFLOW: "enabled"})
    return allowed(request, list(verdict.patch) if isinstance(verdict, Mutation) else None)


def evaluates_cel(api: ApiServer) -> bool:
    """Whether the server takes matchConditions; the embedded one refuses them."""
    entry = {
        "name": "probe.example.com",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Ignore",
        "rules": [],
        "clientConfig": {"url": "https://127.0.0.1:1/"},
        "matchConditions": list(CONDITIONS),
    }
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": unique("probe")},
        "webhooks": [entry],
    }
    answer = api.post(CONFIGURATIONS, body, dryRun="All")
    assert answer.status_code in {201, REFUSED}, answer.text
    return answer.status_code != REFUSED


@contextmanager
def registered(space: Space, served: Webhook, **more: Any) -> Iterator[None]:
    """The webhook as the entry for tolerant pods, with its conditions where the server has CEL."""
    conditions = {"matchConditions": list(CONDITIONS)} if evaluates_cel(space.api) else {}
    configuration = served.configuration(space, **conditions, **more)
    probe = a_pod("probe", tolerations=[EVERYTHING])
    with configured(space, configuration, lambda: bool(served.requests), probe=probe):
        served.requests.clear()
        yield


@pytest.fixture
def tolerant(space: Space, tmp_path: Path) -> Iterator[Webhook]:
    with webhook(marking, tmp_path) as served, registered(space, served):
        yield served


def created(space: Space, container: Json | None = None, **spec: Any) -> Json:
    main = {"name": "main", "image": "registry.example/app:1", **(container or {})}
    answer = space.api.post(space.pods, a_pod(containers=[main], **spec))
    assert answer.status_code == 201, answer.text
    stored: Json = space.api.get(f"{space.pods}/web").json()
    return stored


def resources(pod: Json) -> Json:
    found: Json = pod["spec"]["containers"][0]["resources"]
    return found


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        pytest.param({}, MARKED, id="no-resources"),
        pytest.param({"resources": None}, MARKED, id="null"),
        pytest.param({"resources": {"limits": None}}, MARKED, id="null-limits"),
        pytest.param(
            {"resources": {"limits": {"cpu": "1"}}},
            {"limits": {"cpu": "1", MARKER: "0"}, "requests": {"cpu": "1", MARKER: "0"}},
            id="own-limits",
        ),
        pytest.param(
            {"resources": {"requests": {"cpu": "1"}}},
            {"limits": {MARKER: "0"}, "requests": {"cpu": "1", MARKER: "0"}},
            id="own-requests",
        ),
    ],
)
def test_whatever_a_container_asks_for_a_tolerant_pod_is_marked_and_stored(
    space: Space, tolerant: Webhook, container: Json, expected: Json
) -> None:
    assert resources(created(space, container, tolerations=[EVERYTHING])) == expected


TOLERANT = [
    pytest.param(EVERYTHING, id="everything"),
    pytest.param({"key": TAINT_KEY, "operator": "Exists"}, id="any-value"),
    pytest.param({"operator": "Exists", "effect": "NoSchedule"}, id="every-taint-of-the-effect"),
    pytest.param(OURS, id="the-taint"),
    pytest.param({**OURS, "operator": "Equal"}, id="equal-by-name"),
    pytest.param({"key": TAINT_KEY, "value": TAINT_VALUE}, id="any-effect"),
    pytest.param({"key": TAINT_KEY, "operator": "Exists", "effect": ""}, id="empty-effect"),
]
INTOLERANT = [
    pytest.param({"key": "team", "operator": "Exists"}, id="another-key"),
    pytest.param({**OURS, "value": "other"}, id="another-value"),
    pytest.param({"key": TAINT_KEY, "effect": TAINT_EFFECT}, id="the-empty-value"),
    pytest.param({**OURS, "effect": "NoExecute"}, id="another-effect"),
    pytest.param({"operator": "Exists", "effect": "NoExecute"}, id="every-taint-of-another-effect"),
    pytest.param({"operator": "Exists", "effect": "PreferNoSchedule"}, id="every-preference"),
    pytest.param(
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
        id="as-the-daemon-set-controller-adds",
    ),
    pytest.param(
        {"key": "node.kubernetes.io/disk-pressure", "operator": "Exists", "effect": "NoSchedule"},
        id="as-the-daemon-set-controller-adds-for-scheduling",
    ),
]


@pytest.mark.parametrize("toleration", TOLERANT)
def test_a_pod_that_bears_the_taint_is_marked(space: Space, tolerant: Webhook, toleration: Json) -> None:
    assert resources(created(space, tolerations=[toleration])) == MARKED


@pytest.mark.parametrize("toleration", INTOLERANT)
def test_a_pod_that_does_not_bear_the_taint_is_not_marked(
    space: Space, tolerant: Webhook, toleration: Json
) -> None:
    assert resources(created(space, tolerations=[toleration])) == {}


@pytest.mark.parametrize("toleration", INTOLERANT)
def test_a_server_with_cel_does_not_even_ask_about_it(
    space: Space, tolerant: Webhook, toleration: Json
) -> None:
    if not evaluates_cel(space.api):
        pytest.skip("the embedded API server evaluates no CEL")
    created(space, tolerations=[toleration])
    assert tolerant.requests == []


def test_a_server_with_cel_asks_once_about_a_pod_that_both_entries_meet(space: Space, tmp_path: Path) -> None:
    if not evaluates_cel(space.api):
        pytest.skip("the embedded API server evaluates no CEL")
    with webhook(preparing, tmp_path) as first, webhook(marking, tmp_path) as last:
        configuration = first.configuration(space, reinvocationPolicy="IfNeeded")
        entry = last.configuration(space, reinvocationPolicy="IfNeeded", matchConditions=list(CONDITIONS))[
            "webhooks"
        ][0]
        configuration["webhooks"].append(entry)
        with configured(space, configuration, lambda: bool(first.requests)):
            first.requests.clear()
            assert resources(created(space, tolerations=[EVERYTHING])) == MARKED
        assert (len(first.requests), len(last.requests)) == (1, 0)


def test_a_later_webhook_that_takes_the_marker_away_does_not_have_the_last_word(
    space: Space, tmp_path: Path
) -> None:
    emptied = [{"op": "replace", "path": "/spec/containers/0/resources", "value": {}}]
    with (
        webhook(marking, tmp_path) as ours,
        webhook(lambda request: allowed(request, emptied), tmp_path) as theirs,
    ):
        configuration = ours.configuration(space, reinvocationPolicy="IfNeeded")
        configuration["webhooks"] += theirs.configuration(space)["webhooks"]
        with configured(space, configuration, lambda: bool(theirs.requests)):
            assert resources(created(space, tolerations=[EVERYTHING])) == MARKED
