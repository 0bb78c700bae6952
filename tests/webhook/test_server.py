"""The webhook over HTTP: answers, refusals, failing open, and what it counts."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from app.model.actuator import OUR_TOLERATION
from app.model.names import MARKER, OVERFLOW
from app.model.pod import Pod
from app.model.reason import Reason
from app.webhook import server
from app.webhook.mutation import How, Mutation, Untouched
from tests.webhook.fakes import a_client, a_manifest, a_review, patched, reviewed


def failing(
    pod: Pod, *, namespace: Mapping[str, str], how: How, unknown: tuple[Reason, ...]
) -> Mutation | Untouched:
    raise RuntimeError("a bug")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with a_client(how=How(scheduler_name="overflow")) as made:
        yield made


async def test_a_pod_comes_back_patched(client: httpx.AsyncClient) -> None:
    pod = a_manifest()
    response = await reviewed(client, pod)
    assert (response["uid"], response["allowed"]) == ("review-1", True)
    spec = patched(pod, response)["spec"]
    assert spec["tolerations"] == [OUR_TOLERATION]
    assert spec["schedulerName"] == "overflow"


async def test_a_dry_run_gets_the_same_answer(client: httpx.AsyncClient) -> None:
    pod = a_manifest()
    assert await reviewed(client, pod, dryRun=True) == await reviewed(client, pod)


async def test_a_reinvoked_review_has_no_patch(client: httpx.AsyncClient) -> None:
    pod = a_manifest()
    again = await reviewed(client, patched(pod, await reviewed(client, pod)))
    assert again == {"uid": "review-1", "allowed": True}


async def test_the_permitted_path_needs_the_pods_own_word(client: httpx.AsyncClient) -> None:
    silent = await reviewed(client, a_manifest(), path="/mutate/permitted")
    asking = await reviewed(client, a_manifest(labels={OVERFLOW: "enabled"}), path="/mutate/permitted")
    assert silent == {"uid": "review-1", "allowed": True}
    assert asking["patchType"] == "JSONPatch"


async def test_the_tolerant_path_marks_who_bears_the_taint_and_no_other(client: httpx.AsyncClient) -> None:
    pod = a_manifest(tolerations=[{"operator": "Exists"}], hostNetwork=True)
    marked = patched(pod, await reviewed(client, pod, path="/mutate/tolerant"))
    [container] = marked["spec"]["containers"]
    assert container["resources"]["limits"] == {MARKER: "0"}
    assert {**marked["spec"], "containers": []} == {**pod["spec"], "containers": []}
    other = await reviewed(client, a_manifest(), path="/mutate/tolerant")
    assert other == {"uid": "review-1", "allowed": True}


async def test_a_pod_fargate_cannot_run_is_admitted_with_a_warning_for_each_reason(
    client: httpx.AsyncClient,
) -> None:
    assert await reviewed(client, a_manifest(hostNetwork=True, teleport=True)) == {
        "uid": "review-1",
        "allowed": True,
        "warnings": [
            "not for Fargate: spec.teleport: misspelt, or newer than Spillway; mend or upgrade",
            "not for Fargate: spec.hostNetwork: a task has its own network; remove hostNetwork",
        ],
    }


async def test_what_runs_differently_on_fargate_is_said_beside_the_patch(client: httpx.AsyncClient) -> None:
    response = await reviewed(client, a_manifest(hostname="db-0"))
    assert response["patchType"] == "JSONPatch"
    assert response["warnings"] == [
        "on Fargate: spec.hostname: the kernel's host name is ECS's; read the variable HOSTNAME"
    ]


async def test_a_word_that_means_nothing_is_admitted_with_a_warning(client: httpx.AsyncClient) -> None:
    response = await reviewed(client, a_manifest(labels={OVERFLOW: "ture"}))
    (warning,) = response["warnings"]
    assert warning.endswith('label spillway.dev/overflow is "ture"; write enabled, disabled or required')


MISSPELT = (
    "not read: nobody reads the annotation spillway.dev/maxwait of a pod; do you mean spillway.dev/max-wait?"
)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="beside a patch"),
        pytest.param({"nodeName": "n"}, id="on a pod that is left alone"),
    ],
)
async def test_a_misspelt_key_is_told_with_the_one_that_was_meant(
    client: httpx.AsyncClient, spec: dict[str, Any]
) -> None:
    pod = a_manifest(annotations={"spillway.dev/maxwait": "5m"}, **spec)
    assert (await reviewed(client, pod))["warnings"] == [MISSPELT]


async def test_a_misspelt_key_is_told_beside_the_reasons_of_a_refusal(client: httpx.AsyncClient) -> None:
    pod = a_manifest(annotations={"spillway.dev/maxwait": "5m"}, hostNetwork=True)
    said = (await reviewed(client, pod))["warnings"]
    assert said[0] == MISSPELT
    assert said[1].startswith("not for Fargate: spec.hostNetwork")


async def test_misspelt_keys_are_counted() -> None:
    registry = CollectorRegistry()
    async with a_client(registry=registry) as client:
        await reviewed(client, a_manifest(annotations={"spillway.dev/maxwait": "5m"}))
    assert registry.get_sample_value("spillway_webhook_unread_keys_total") == 1


async def test_a_word_that_means_nothing_names_its_annotation_once(client: httpx.AsyncClient) -> None:
    (said,) = (await reviewed(client, a_manifest(annotations={"spillway.dev/max-wait": "2 minutes"})))[
        "warnings"
    ]
    assert said == (
        'not for Fargate: annotation spillway.dev/max-wait: "2 minutes" is not a duration; '
        "write for instance 90, 90s, 2m or 1h30m"
    )


@pytest.mark.parametrize("operation", ["UPDATE", "CONNECT"])
async def test_another_operation_is_allowed_untouched(client: httpx.AsyncClient, operation: str) -> None:
    response = await reviewed(client, a_manifest(), operation=operation)
    assert response == {"uid": "review-1", "allowed": True}


async def test_a_deletion_without_an_object_is_allowed(client: httpx.AsyncClient) -> None:
    assert await reviewed(client, None, operation="DELETE") == {"uid": "review-1", "allowed": True}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"{", "the body is not an AdmissionReview", id="no-json"),
        pytest.param(json.dumps(a_review(None)).encode(), "request.object is missing", id="no-object"),
        pytest.param(
            json.dumps(a_review(a_manifest(containers="one"))).encode(), "$.spec.containers", id="no-pod"
        ),
    ],
)
async def test_bad_input_gets_a_clear_400_and_the_next_review_its_answer(
    client: httpx.AsyncClient, body: bytes, said: str
) -> None:
    answer = await client.post("/mutate/enabled", content=body)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert (await reviewed(client, a_manifest()))["allowed"]


async def test_a_body_above_the_limit_gets_413(client: httpx.AsyncClient) -> None:
    answer = await client.post("/mutate/enabled", content=b" " * (server.MOST_BYTES + 1))
    assert answer.status_code == 413
    assert answer.json() == {"error": "the body is longer than 3145728 bytes"}


async def test_a_body_without_end_is_not_read_to_its_end(client: httpx.AsyncClient) -> None:
    sent = []

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(1000):
            sent.append(number)
            yield b" " * 2**20

    answer = await client.post("/mutate/enabled", content=chunks())
    assert answer.status_code == 413
    assert len(sent) < 10


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "/mutate/enabled", 405, id="method"),
        pytest.param("POST", "/mutate/disabled", 404, id="path"),
        pytest.param("GET", "/openapi.json", 404, id="no-schema"),
    ],
)
async def test_an_unknown_request_gets_an_error_in_the_same_shape(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert list(answer.json()) == ["error"]


async def test_a_bug_of_ours_admits_the_pod_with_a_warning() -> None:
    registry = CollectorRegistry()
    async with a_client(registry=registry, decide=failing) as client:
        response = await reviewed(client, a_manifest())
    assert response == {
        "uid": "review-1",
        "allowed": True,
        "warnings": ["not for Fargate: Spillway failed to judge the pod; see the webhook's log"],
    }
    assert registry.get_sample_value("spillway_webhook_admissions_total", {"outcome": "failed"}) == 1


async def test_every_outcome_is_counted() -> None:
    registry = CollectorRegistry()
    async with a_client(registry=registry) as client:
        await reviewed(client, a_manifest())
        await reviewed(client, a_manifest(labels={OVERFLOW: "disabled"}))
        await reviewed(client, a_manifest(hostPID=True, hostIPC=True))
        await reviewed(client, a_manifest(tolerations=[OUR_TOLERATION]), path="/mutate/tolerant")
        await client.post("/mutate/enabled", content=b"{")
        text = (await client.get("/metrics")).text
    counted = {
        outcome: registry.get_sample_value("spillway_webhook_admissions_total", {"outcome": outcome})
        for outcome in ("mutated", "marked", "untouched", "refused", "failed", "bad_request")
    }
    assert counted == {
        "mutated": 1,
        "marked": 1,
        "untouched": 1,
        "refused": 1,
        "failed": 0,
        "bad_request": 1,
    }
    assert registry.get_sample_value("spillway_webhook_refusals_total", {"code": "HostPID"}) == 1
    assert 'spillway_webhook_refusals_total{code="HostIPC"} 1.0' in text
    assert "spillway_webhook_review_seconds_count 5.0" in text


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_probe_answers_ok(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.text) == (200, "ok")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
spec_fields = st.sampled_from(
    ["affinity", "tolerations", "volumes", "securityContext", "os", "nodeSelector", "resources", "containers"]
)


@settings(max_examples=60)
@given(spec=st.dictionaries(spec_fields, json_values, max_size=3))
async def test_whatever_a_spec_holds_the_answer_is_an_applying_patch_or_clear_words(
    spec: dict[str, Any],
) -> None:
    registry = CollectorRegistry()
    pod = a_manifest(**spec)
    async with a_client(registry=registry) as client:
        answer = await client.post("/mutate/enabled", json=a_review(pod))
    response = answer.json().get("response", {})
    after = patched(pod, response) if "patch" in response else pod
    assert answer.status_code in {200, 400}
    assert answer.json().keys() in ({"error"}, {"apiVersion", "kind", "response"})
    assert after["metadata"] == pod["metadata"]
    assert registry.get_sample_value("spillway_webhook_admissions_total", {"outcome": "failed"}) == 0
