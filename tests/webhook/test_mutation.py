"""What the webhook does to pods: the four fields it sets, and the pods that it leaves alone."""

from typing import Any

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.actuator import OUR_TOLERATION
from app.model.names import MARKER, OVERFLOW
from app.model.reason import Reason
from app.webhook.mutation import ONLY_VIRTUAL, OWN_TOLERATION, PREFER_REAL, How, Mutation, Untouched, decide
from tests.builders import owned_by
from tests.webhook.fakes import a_manifest, decoded

ENABLED = {OVERFLOW: "enabled"}
PERMITTED = {OVERFLOW: "permitted"}
REQUIRED = {OVERFLOW: "required"}
PLAIN = How()
ASKING = How(scheduler_name="overflow")
HOLDING_BACK = How(actuator="toleration")
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def mutated(pod: dict[str, Any], *, namespace: dict[str, str] = ENABLED, how: How = PLAIN) -> dict[str, Any]:
    verdict = decide(decoded(pod), namespace=namespace, how=how)
    assert isinstance(verdict, Mutation), verdict
    result: dict[str, Any] = jsonpatch.apply_patch(pod, verdict.patch)
    return result


def untouched(pod: dict[str, Any], *, namespace: dict[str, str] = ENABLED) -> tuple[list[str], bool]:
    verdict = decide(decoded(pod), namespace=namespace)
    assert isinstance(verdict, Untouched), verdict
    return [reason.code for reason in verdict.reasons], verdict.warn


def node_affinity(pod: dict[str, Any]) -> Any:
    return pod["spec"]["affinity"]["nodeAffinity"]


def terms_of(pod: dict[str, Any]) -> Any:
    return node_affinity(pod)[_REQUIRED]["nodeSelectorTerms"]


def with_terms(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": list(terms)}}}


ZONE: dict[str, Any] = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a"]}
NAME: dict[str, Any] = {"key": "metadata.name", "operator": "In", "values": ["n1"]}


def test_a_pod_that_may_overflow_gets_toleration_and_preference() -> None:
    pod = a_manifest()
    assert mutated(pod) == {
        **pod,
        "spec": {
            **pod["spec"],
            "tolerations": [OUR_TOLERATION],
            "affinity": {"nodeAffinity": {_PREFERRED: [PREFER_REAL]}},
            "containers": [
                {
                    **pod["spec"]["containers"][0],
                    "resources": {
                        "requests": {"cpu": "500m", "memory": "512Mi", MARKER: "0"},
                        "limits": {MARKER: "0"},
                    },
                }
            ],
        },
    }


def test_the_preference_is_for_nodes_that_are_not_virtual() -> None:
    assert PREFER_REAL == {
        "weight": 100,
        "preference": {
            "matchExpressions": [{"key": "type", "operator": "NotIn", "values": ["virtual-kubelet"]}]
        },
    }


def test_the_users_tolerations_and_affinity_stay() -> None:
    mine = {"key": "team", "operator": "Exists"}
    spread: dict[str, Any] = {"podAntiAffinity": {_PREFERRED: []}}
    preferred = {"weight": 1, "preference": {"matchExpressions": [ZONE]}}
    affinity = {
        **spread,
        "nodeAffinity": {_PREFERRED: [preferred], **with_terms({"matchExpressions": [ZONE]})},
    }
    result = mutated(a_manifest(tolerations=[mine], affinity=affinity))
    assert result["spec"]["tolerations"] == [mine, OUR_TOLERATION]
    assert result["spec"]["affinity"] == {
        **affinity,
        "nodeAffinity": {**affinity["nodeAffinity"], _PREFERRED: [preferred, PREFER_REAL]},
    }


@pytest.mark.parametrize(
    "toleration",
    [
        pytest.param({"operator": "Exists"}, id="everything"),
        pytest.param({"key": "virtual-kubelet.io/provider", "operator": "Exists"}, id="any-provider"),
        pytest.param(OUR_TOLERATION, id="ours"),
    ],
)
def test_a_pod_that_tolerates_the_taint_gets_no_second_toleration(toleration: dict[str, str]) -> None:
    assert mutated(a_manifest(tolerations=[toleration]))["spec"]["tolerations"] == [toleration]


def test_a_pod_that_must_overflow_is_bound_to_virtual_nodes_alone() -> None:
    result = mutated(a_manifest(labels=REQUIRED))
    assert node_affinity(result) == {_REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [ONLY_VIRTUAL]}]}}
    assert result["spec"]["tolerations"] == [OUR_TOLERATION]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([], [{"matchExpressions": [ONLY_VIRTUAL]}], id="no-term-is-created"),
        pytest.param(
            [{"matchExpressions": [ZONE]}, {"matchFields": [NAME]}],
            [
                {"matchExpressions": [ZONE, ONLY_VIRTUAL]},
                {"matchFields": [NAME], "matchExpressions": [ONLY_VIRTUAL]},
            ],
            id="anded-into-every-term",
        ),
        pytest.param(
            [{}, {"matchExpressions": [ZONE]}],
            [{}, {"matchExpressions": [ZONE, ONLY_VIRTUAL]}],
            id="an-empty-term-matches-nothing-and-still-does",
        ),
        pytest.param(
            [{"matchExpressions": [ONLY_VIRTUAL]}, {"matchExpressions": [ZONE]}],
            [{"matchExpressions": [ONLY_VIRTUAL]}, {"matchExpressions": [ZONE, ONLY_VIRTUAL]}],
            id="only-where-it-is-missing",
        ),
    ],
)
def test_must_overflow_narrows_the_users_terms(before: list[Any], after: list[Any]) -> None:
    assert terms_of(mutated(a_manifest(labels=REQUIRED, affinity=with_terms(*before)))) == after


@pytest.mark.parametrize(
    ("named", "result"),
    [
        pytest.param({}, "overflow", id="none"),
        pytest.param({"schedulerName": ""}, "overflow", id="empty"),
        pytest.param({"schedulerName": "default-scheduler"}, "overflow", id="the-default"),
        pytest.param({"schedulerName": "volcano"}, "volcano", id="the-users-own-stays"),
    ],
)
def test_the_scheduler_is_set_where_the_pod_has_the_default(named: dict[str, str], result: str) -> None:
    assert mutated(a_manifest(**named), how=ASKING)["spec"]["schedulerName"] == result


def test_where_the_toleration_comes_later_a_pod_gets_the_preference_alone() -> None:
    pod = a_manifest()
    preferring = {"nodeAffinity": {_PREFERRED: [PREFER_REAL]}}
    assert mutated(pod, how=HOLDING_BACK) == {**pod, "spec": {**pod["spec"], "affinity": preferring}}


def test_where_the_toleration_comes_later_a_pod_that_must_overflow_is_still_bound_to_virtual_nodes() -> None:
    pod = a_manifest(labels=REQUIRED)
    only = with_terms({"matchExpressions": [ONLY_VIRTUAL]})
    assert mutated(pod, how=HOLDING_BACK) == {**pod, "spec": {**pod["spec"], "affinity": only}}


@pytest.mark.parametrize(
    "toleration",
    [pytest.param({"operator": "Exists"}, id="everything"), pytest.param(OUR_TOLERATION, id="ours")],
)
def test_a_toleration_that_the_pod_brought_stays_and_its_owner_is_told(toleration: dict[str, str]) -> None:
    pod = a_manifest(tolerations=[toleration])
    verdict = decide(decoded(pod), namespace=ENABLED, how=HOLDING_BACK)
    assert isinstance(verdict, Mutation)
    assert jsonpatch.apply_patch(pod, verdict.patch)["spec"]["tolerations"] == [toleration]
    assert verdict.caveats == (OWN_TOLERATION,)


def test_where_pods_have_the_toleration_from_the_start_nobody_is_told_of_it() -> None:
    verdict = decide(decoded(a_manifest(tolerations=[OUR_TOLERATION])), namespace=ENABLED, how=ASKING)
    assert isinstance(verdict, Mutation)
    assert verdict.caveats == ()


@pytest.mark.parametrize("labels", [pytest.param({}, id="may"), pytest.param(REQUIRED, id="must")])
def test_a_pod_that_awaits_its_toleration_needs_nothing_more_from_the_webhook(labels: dict[str, str]) -> None:
    pod = mutated(a_manifest(labels=labels), how=HOLDING_BACK)
    verdict = decide(decoded(pod), namespace=ENABLED, how=HOLDING_BACK)
    assert isinstance(verdict, Untouched)
    assert [reason.code for reason in verdict.reasons] == ["AlreadyPrepared"]


@pytest.mark.parametrize("configured", ["", "default-scheduler"])
def test_the_scheduler_is_left_alone_where_none_is_configured(configured: str) -> None:
    assert "schedulerName" not in mutated(a_manifest(), how=How(scheduler_name=configured))["spec"]


@pytest.mark.parametrize(
    "empty",
    [
        pytest.param({}, id="absent"),
        pytest.param({"tolerations": [], "affinity": {}}, id="empty"),
        pytest.param({"affinity": None}, id="null"),
        pytest.param({"affinity": {"nodeAffinity": None}}, id="null-below"),
        pytest.param(
            {"affinity": {"nodeAffinity": {_PREFERRED: None, _REQUIRED: None}}}, id="null-at-the-end"
        ),
    ],
)
@pytest.mark.parametrize("labels", [pytest.param({}, id="may"), pytest.param(REQUIRED, id="must")])
def test_the_patch_applies_whatever_parents_are_missing(
    empty: dict[str, Any], labels: dict[str, str]
) -> None:
    result = mutated(a_manifest(labels=labels, **empty), how=ASKING)
    assert result["spec"]["tolerations"] == [OUR_TOLERATION]


@pytest.mark.parametrize(
    ("namespace", "labels"),
    [
        pytest.param({}, {OVERFLOW: "enabled"}, id="a-pods-word-without-its-namespaces"),
        pytest.param({}, REQUIRED, id="not-even-required"),
        pytest.param(PERMITTED, {}, id="permitted-and-silent"),
        pytest.param(PERMITTED, {OVERFLOW: "disabled"}, id="permitted-and-disabled"),
        pytest.param(ENABLED, {OVERFLOW: "disabled"}, id="enabled-and-disabled"),
    ],
)
def test_a_pod_that_did_not_opt_in_is_left_alone_silently(
    namespace: dict[str, str], labels: dict[str, str]
) -> None:
    pod = a_manifest(labels=labels, hostNetwork=True)
    assert untouched(pod, namespace=namespace) == (["NotOptedIn"], False)


@pytest.mark.parametrize("word", ["enabled", "required"])
def test_a_pods_word_counts_where_its_namespace_permits(word: str) -> None:
    result = mutated(a_manifest(labels={OVERFLOW: word}), namespace=PERMITTED)
    assert result["spec"]["tolerations"] == [OUR_TOLERATION]


@pytest.mark.parametrize(
    ("metadata", "spec", "code"),
    [
        pytest.param(owned_by("DaemonSet"), {}, "DaemonSet", id="daemon-set"),
        pytest.param({"annotations": {"kubernetes.io/config.mirror": "x"}}, {}, "StaticPod", id="static"),
        pytest.param({}, {"nodeName": "ec2-0"}, "AlreadyBound", id="bound"),
    ],
)
def test_a_pod_with_a_place_of_its_own_is_left_alone_silently(
    metadata: dict[str, Any], spec: dict[str, Any], code: str
) -> None:
    pod = a_manifest(hostNetwork=True, **spec)
    assert untouched({**pod, "metadata": {**pod["metadata"], **metadata}}) == ([code], False)


def test_a_pod_that_fargate_cannot_run_is_left_alone_with_every_reason() -> None:
    pod = a_manifest(hostNetwork=True, hostPID=True, annotations={"spillway.dev/max-wait": "soon"})
    assert untouched(pod) == (["InvalidMaxWait", "HostNetwork", "HostPID"], True)


def test_a_field_that_a_pod_cannot_hold_is_a_reason_among_the_others() -> None:
    unknown = (Reason("UnknownField", "newer", "spec.teleport"),)
    verdict = decide(decoded(a_manifest(hostPID=True)), namespace=ENABLED, unknown=unknown)
    assert isinstance(verdict, Untouched)
    assert [reason.code for reason in verdict.reasons] == ["UnknownField", "HostPID"]


def test_a_pod_that_did_not_opt_in_may_set_what_it_likes() -> None:
    unknown = (Reason("UnknownField", "newer", "spec.teleport"),)
    verdict = decide(decoded(a_manifest()), namespace={}, unknown=unknown)
    assert isinstance(verdict, Untouched)
    assert not verdict.warn


def test_a_patched_pods_caveats_go_with_the_patch() -> None:
    verdict = decide(decoded(a_manifest(terminationGracePeriodSeconds=600)), namespace=ENABLED)
    assert isinstance(verdict, Mutation)
    assert [reason.code for reason in verdict.caveats] == ["GracePeriodCut"]


def test_a_word_that_means_nothing_is_left_alone_with_a_warning() -> None:
    assert untouched(a_manifest(labels={OVERFLOW: "ture"})) == (["InvalidOverflow"], True)


def test_a_word_that_means_nothing_does_not_count_outside_opted_in_namespaces() -> None:
    assert untouched(a_manifest(labels={OVERFLOW: "ture"}), namespace={}) == (["NotOptedIn"], False)


requirements = st.sampled_from([ZONE, ONLY_VIRTUAL, {**ZONE, "operator": "Exists", "values": []}])
terms = st.fixed_dictionaries(
    {},
    optional={
        "matchExpressions": st.lists(requirements, max_size=3),
        "matchFields": st.lists(st.just(NAME), max_size=1),
    },
)
preferences = st.one_of(st.just(PREFER_REAL), st.just({"weight": 1, "preference": {}}))
node_affinities = st.fixed_dictionaries(
    {},
    optional={
        _REQUIRED: st.fixed_dictionaries({"nodeSelectorTerms": st.lists(terms, max_size=3)}),
        _PREFERRED: st.lists(preferences, max_size=3),
    },
)
affinities = st.fixed_dictionaries(
    {}, optional={"nodeAffinity": node_affinities, "podAffinity": st.just({_PREFERRED: []})}
)
tolerations = st.lists(
    st.sampled_from(
        [OUR_TOLERATION, {"key": "team", "operator": "Exists"}, {**OUR_TOLERATION, "effect": "NoExecute"}]
    ),
    max_size=3,
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "affinity": affinities,
        "tolerations": tolerations,
        "schedulerName": st.sampled_from(["", "default-scheduler", "volcano"]),
    },
)
labels = st.sampled_from([{}, {OVERFLOW: "enabled"}, REQUIRED])
TOUCHED = {"affinity", "tolerations", "schedulerName", "containers"}


def unmarked(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers as they were before the first was marked; it had requests, and no limits."""
    first, *others = pod["spec"]["containers"]
    requests = {key: value for key, value in first["resources"]["requests"].items() if key != MARKER}
    return [{**first, "resources": {"requests": requests}}, *others]


@given(specs, labels)
def test_mutating_twice_adds_nothing(spec: dict[str, Any], words: dict[str, str]) -> None:
    pod = a_manifest(labels=words, **spec)
    first = decide(decoded(pod), namespace=ENABLED, how=ASKING)
    patch = first.patch if isinstance(first, Mutation) else ()
    again = decide(decoded(jsonpatch.apply_patch(pod, patch)), namespace=ENABLED, how=ASKING)
    assert isinstance(again, Untouched)
    assert [reason.code for reason in again.reasons] == ["AlreadyPrepared"]


@given(specs, labels)
def test_a_patch_touches_nothing_else_and_removes_nothing(
    spec: dict[str, Any], words: dict[str, str]
) -> None:
    pod = a_manifest(labels=words, **spec)
    verdict = decide(decoded(pod), namespace=ENABLED, how=ASKING)
    patch = verdict.patch if isinstance(verdict, Mutation) else ()
    after = jsonpatch.apply_patch(pod, patch)
    assert {each["op"] for each in patch} <= {"add", "replace"}
    assert {key: after["spec"][key] for key in after["spec"].keys() - TOUCHED} == {
        key: pod["spec"][key] for key in pod["spec"].keys() - TOUCHED
    }
    assert unmarked(after) == pod["spec"]["containers"]
    assert {**after, "spec": {}} == {**pod, "spec": {}}
    assert all(each in after["spec"]["tolerations"] for each in spec.get("tolerations", ()))
