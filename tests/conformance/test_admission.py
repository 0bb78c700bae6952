"""Mutating admission webhooks over HTTPS: what they see, and what their answers do."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.servers import Json, Space, a_config_map, a_pod
from tests.conformance.webhooks import CONFIGURATIONS, Answer, Webhook, allowed, configured, webhook

Start = Callable[..., Webhook]
LABEL = [
    {"op": "add", "path": "/metadata/labels", "value": {}},
    {"op": "add", "path": "/metadata/labels/seen", "value": "yes"},
]


@pytest.fixture
def start(space: Space, tmp_path: Path) -> Iterator[Start]:
    """Serve a webhook with this answer, configure it, and wait until it is asked."""
    with ExitStack() as running:

        def begin(answer: Answer, **more: Any) -> Webhook:
            served = running.enter_context(webhook(answer, tmp_path))
            configuration = served.configuration(space, **more)
            running.enter_context(configured(space, configuration, lambda: bool(served.requests)))
            served.requests.clear()
            return served

        yield begin


def create(space: Space, **metadata: Any) -> httpx.Response:
    return space.api.post(space.pods, a_pod(metadata=metadata))


def test_a_patch_is_applied(space: Space, start: Start) -> None:
    start(lambda request: allowed(request, LABEL))

    assert create(space).json()["metadata"]["labels"] == {"seen": "yes"}


def test_the_webhook_sees_the_pod_with_defaults_and_default_tolerations(space: Space, start: Start) -> None:
    served = start(allowed)
    create(space)
    request = served.requests[0]

    assert request["operation"] == "CREATE"
    assert request["namespace"] == space.name
    assert request["name"] == "web"
    assert request["resource"] == {"group": "", "version": "v1", "resource": "pods"}
    assert request["kind"] == {"group": "", "version": "v1", "kind": "Pod"}
    assert request["oldObject"] is None
    assert request["dryRun"] is False
    assert request["object"]["spec"]["schedulerName"] == "default-scheduler"
    assert len(request["object"]["spec"]["tolerations"]) == 2
    assert request["object"]["spec"]["volumes"][0]["name"].startswith("kube-api-access-")


def test_a_generated_name_is_known_to_the_object_only_sometimes(space: Space, start: Start) -> None:
    served = start(allowed)
    body = a_pod()
    body["metadata"] = {"generateName": "web-"}
    space.api.post(space.pods, body)

    assert served.requests[0]["object"]["metadata"]["generateName"] == "web-"


def test_a_dry_run_says_so(space: Space, start: Start) -> None:
    served = start(allowed)
    space.api.post(space.pods, a_pod(), dryRun="All")

    assert served.requests[0]["dryRun"] is True


def test_warnings_reach_the_client(space: Space, start: Start) -> None:
    start(lambda request: allowed(request, warnings=["no room on Fargate"]))

    assert create(space).headers["Warning"] == '299 - "no room on Fargate"'


def test_a_refusal_carries_its_reason(space: Space, start: Start) -> None:
    def refuse(request: Json) -> Json:
        return allowed(request, allowed=False, status={"code": 403, "message": "not here"})

    start(refuse)
    answer = create(space)

    assert answer.status_code == 403
    assert answer.json()["message"].endswith("denied the request: not here")


def test_a_pod_outside_the_object_selector_is_not_shown(space: Space, start: Start) -> None:
    served = start(
        allowed,
        objectSelector={"matchExpressions": [{"key": "skip", "operator": "DoesNotExist"}]},
    )
    create(space, labels={"skip": "yes"})

    assert served.requests == []


def test_other_resources_are_not_shown(space: Space, start: Start) -> None:
    served = start(allowed)
    space.api.post(space.config_maps, a_config_map())

    assert served.requests == []


@pytest.mark.parametrize(
    ("policy", "status"), [pytest.param("Ignore", 201, id="ignore"), pytest.param("Fail", 500, id="fail")]
)
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda request: allowed({**request, "uid": "another"}), id="another uid"),
        pytest.param(lambda request: {**allowed(request), "apiVersion": "v2"}, id="another version"),
        pytest.param(lambda request: allowed(request, patch="e30=", patchType="JSONPatch"), id="no list"),
        pytest.param(lambda request: allowed(request, patchType="JSONPatch"), id="a type without a patch"),
        pytest.param(lambda _request: [], id="no review"),
    ],
)
def test_an_answer_that_means_nothing_is_left_to_the_failure_policy(
    space: Space, start: Start, answer: Answer, policy: str, status: int
) -> None:
    start(answer, failurePolicy=policy)

    assert create(space).status_code == status


@pytest.mark.parametrize("policy", ["Ignore", "Fail"])
def test_a_patch_that_does_not_apply_is_an_error_whatever_the_policy(
    space: Space, start: Start, policy: str
) -> None:
    missing = [{"op": "add", "path": "/spec/affinity/nodeAffinity", "value": {}}]
    start(lambda request: allowed(request, missing), failurePolicy=policy)

    assert create(space).status_code == 500


def test_a_patched_pod_must_be_valid(space: Space, start: Start) -> None:
    broken = [{"op": "replace", "path": "/spec/containers/0/image", "value": ""}]
    start(lambda request: allowed(request, broken))

    assert create(space).status_code == 422


def test_a_webhook_that_a_later_one_follows_is_asked_again(space: Space, start: Start) -> None:
    first = start(allowed, reinvocationPolicy="IfNeeded")
    start(lambda request: allowed(request, LABEL))
    first.requests.clear()

    create(space)

    assert [("labels" in each["object"]["metadata"]) for each in first.requests] in ([False, True], [True])


@pytest.mark.parametrize(
    ("policy", "status"), [pytest.param("Ignore", 201, id="ignore"), pytest.param("Fail", 500, id="fail")]
)
def test_an_unknown_authority_is_left_to_the_failure_policy(
    space: Space, tmp_path: Path, policy: str, status: int
) -> None:
    with webhook(allowed, tmp_path) as known, webhook(allowed, tmp_path) as stranger:
        configuration = known.configuration(space)
        entry = stranger.configuration(space, failurePolicy=policy)["webhooks"][0]
        entry["clientConfig"]["caBundle"] = configuration["webhooks"][0]["clientConfig"]["caBundle"]
        configuration["webhooks"].append(entry)
        with configured(space, configuration, lambda: bool(known.requests)):
            assert create(space).status_code == status
        assert stranger.requests == []


def test_a_configuration_that_cannot_work_is_refused_with_every_cause(space: Space) -> None:
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "broken"},
        "webhooks": [{"name": "short"}],
    }

    answer = space.api.post(CONFIGURATIONS, body)

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["details"]["causes"]] == [
        "webhooks[0].name",
        "webhooks[0].sideEffects",
        "webhooks[0].clientConfig",
        "webhooks[0].admissionReviewVersions",
    ]
