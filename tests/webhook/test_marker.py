"""The marker: who gets it, on which container, and that it takes nothing away."""

from typing import Any

import jsonpatch
import pytest

from app.fargate.eligibility import caveats, refusals
from app.model.actuator import OUR_TOLERATION
from app.model.names import MARKER, OVERFLOW
from app.model.requests import requests_of
from app.webhook.mutation import How, Mutation, Untouched, decide, decide_tolerant
from tests.builders import owned_by
from tests.webhook.fakes import a_manifest, decoded

ENABLED = {OVERFLOW: "enabled"}
EVERYTHING = {"operator": "Exists"}
HOLDING_BACK = How(actuator="toleration")
MARKED = {"limits": {MARKER: "0"}, "requests": {MARKER: "0"}}


def a_pod(resources: Any = ..., *more: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A pod whose first container has these resources (`...`: no such field), and more containers."""
    first = {"name": "main", "image": "registry.example/app:1"}
    mine = first if resources is ... else {**first, "resources": resources}
    return a_manifest(containers=[mine, *more], **spec)


def opted_in(pod: dict[str, Any]) -> Any:
    verdict = decide(decoded(pod), namespace=ENABLED, how=How())
    assert isinstance(verdict, Mutation), verdict
    return jsonpatch.apply_patch(pod, verdict.patch)["spec"]["containers"]


def tolerant(pod: dict[str, Any]) -> dict[str, Any]:
    verdict = decide_tolerant(decoded(pod))
    assert isinstance(verdict, Mutation), verdict
    result: dict[str, Any] = jsonpatch.apply_patch(pod, verdict.patch)
    return result


def left_alone(pod: dict[str, Any], how: How) -> str:
    verdict = decide_tolerant(decoded(pod), how=how)
    assert isinstance(verdict, Untouched), verdict
    assert not verdict.warn
    [reason] = verdict.reasons
    return reason.code


RESOURCES = [
    pytest.param(..., MARKED, id="absent"),
    pytest.param({}, MARKED, id="empty"),
    pytest.param(
        {"requests": {"cpu": "1"}},
        {"requests": {"cpu": "1", MARKER: "0"}, "limits": {MARKER: "0"}},
        id="requests-alone",
    ),
    pytest.param(
        {"limits": {"memory": "1Gi"}},
        {"limits": {"memory": "1Gi", MARKER: "0"}, "requests": {MARKER: "0"}},
        id="limits-alone",
    ),
]


@pytest.mark.parametrize(("before", "after"), RESOURCES)
def test_an_opted_in_pod_is_marked_whatever_its_first_container_asks_for(before: Any, after: Any) -> None:
    assert opted_in(a_pod(before))[0]["resources"] == after


@pytest.mark.parametrize(("before", "after"), RESOURCES)
def test_a_tolerant_pod_is_marked_whatever_its_first_container_asks_for(before: Any, after: Any) -> None:
    pod = a_pod(before, tolerations=[EVERYTHING])
    assert tolerant(pod)["spec"]["containers"][0]["resources"] == after


def test_a_pod_that_must_overflow_is_marked_too() -> None:
    [container] = opted_in(a_pod({}, labels={OVERFLOW: "required"}))
    assert container["resources"] == MARKED


def test_only_the_first_container_is_marked() -> None:
    other = {"name": "other", "image": "registry.example/app:1"}
    assert opted_in(a_pod({}, other))[1] == other


def test_the_slash_in_the_name_is_written_as_a_pointer_has_it() -> None:
    verdict = decide_tolerant(decoded(a_manifest(tolerations=[EVERYTHING])))
    assert isinstance(verdict, Mutation)
    paths = {each["path"] for each in verdict.patch}
    assert "/spec/containers/0/resources/requests/spillway.dev~1overflow" in paths


@pytest.mark.parametrize("group", ["limits", "requests"])
def test_a_marker_on_any_container_is_enough(group: str) -> None:
    other = {"name": "other", "image": "registry.example/app:1", "resources": {group: {MARKER: "0"}}}
    assert opted_in(a_pod({}, other))[0]["resources"] == {}


def test_a_marker_on_an_init_container_is_enough() -> None:
    init = {"name": "init", "image": "registry.example/app:1", "resources": MARKED}
    assert opted_in(a_pod({}, initContainers=[init]))[0]["resources"] == {}


def test_where_no_extender_is_asked_an_opted_in_pod_is_not_marked() -> None:
    pod = a_pod({})
    verdict = decide(decoded(pod), namespace=ENABLED, how=HOLDING_BACK)
    assert isinstance(verdict, Mutation)
    assert jsonpatch.apply_patch(pod, verdict.patch)["spec"]["containers"] == pod["spec"]["containers"]


@pytest.mark.parametrize(
    ("metadata", "spec"),
    [
        pytest.param(owned_by("DaemonSet"), {}, id="of-a-daemon-set"),
        pytest.param({"namespace": "kube-system"}, {}, id="of-the-system"),
        pytest.param({"labels": {OVERFLOW: "disabled"}}, {}, id="opted-out"),
        pytest.param({}, {"hostNetwork": True}, id="not-for-fargate"),
    ],
)
def test_whoever_bears_the_taint_is_marked_and_nothing_else_is_done(
    metadata: dict[str, Any], spec: dict[str, Any]
) -> None:
    pod = a_pod({}, tolerations=[EVERYTHING], **spec)
    pod = {**pod, "metadata": {**pod["metadata"], **metadata}}
    [container] = pod["spec"]["containers"]
    marked = {**pod["spec"], "containers": [{**container, "resources": MARKED}]}
    assert tolerant(pod) == {**pod, "spec": marked}


def test_a_tolerant_pods_device_claims_stay() -> None:
    claims = [{"name": "gpu"}]
    pod = a_pod({"claims": claims}, tolerations=[OUR_TOLERATION])
    assert tolerant(pod)["spec"]["containers"][0]["resources"] == {"claims": claims, **MARKED}


@pytest.mark.parametrize(
    ("spec", "how", "code"),
    [
        pytest.param({"tolerations": []}, How(), "Intolerant", id="bears-nothing"),
        pytest.param(
            {"tolerations": [{**OUR_TOLERATION, "value": "other"}]},
            How(),
            "Intolerant",
            id="another-provider",
        ),
        pytest.param({"nodeName": "ec2-0"}, How(), "AlreadyBound", id="bound"),
        pytest.param({}, HOLDING_BACK, "AlreadyPrepared", id="nobody-is-asked"),
        pytest.param({"containers": []}, How(), "AlreadyPrepared", id="no-container"),
    ],
)
def test_a_pod_that_nobody_will_be_asked_about_is_left_alone(
    spec: dict[str, Any], how: How, code: str
) -> None:
    assert left_alone(a_manifest(**{"tolerations": [EVERYTHING], **spec}), how) == code


def test_a_marked_pod_is_left_alone() -> None:
    assert left_alone(tolerant(a_pod(tolerations=[EVERYTHING])), How()) == "AlreadyPrepared"


def test_another_quantity_of_the_name_is_its_owners_word() -> None:
    pod = a_pod({"limits": {MARKER: "1"}, "requests": {MARKER: "1"}}, tolerations=[EVERYTHING])
    assert left_alone(pod, How()) == "AlreadyPrepared"


def test_both_entries_of_a_labelled_namespace_agree_in_either_order() -> None:
    pod = a_manifest(tolerations=[EVERYTHING])
    first = decide(decoded(pod), namespace=ENABLED, how=How())
    assert isinstance(first, Mutation)
    one = jsonpatch.apply_patch(pod, first.patch)
    assert left_alone(one, How()) == "AlreadyPrepared"
    second = decide(decoded(tolerant(pod)), namespace=ENABLED, how=How())
    assert isinstance(second, Mutation)
    assert jsonpatch.apply_patch(tolerant(pod), second.patch) == one


def test_the_marker_neither_counts_nor_keeps_a_pod_from_fargate() -> None:
    pod, marked = a_manifest(), tolerant(a_manifest(tolerations=[EVERYTHING]))
    assert requests_of(decoded(marked)) == requests_of(decoded(pod))
    assert (refusals(decoded(marked)), caveats(decoded(marked))) == ((), caveats(decoded(pod)))
