"""Helm 3 and 4 accept the chart, and make the same of it."""

import re
from collections.abc import Mapping

import pytest

from tests.chart.rendering import (
    CHART,
    COMBINATIONS,
    KUBERNETES,
    NAMES,
    Json,
    environment,
    helm,
    objects,
    one,
    rendered,
    title,
)

BOTH = pytest.mark.parametrize("major", [3, 4])


@BOTH
@pytest.mark.parametrize("values", COMBINATIONS, ids=NAMES)
def test_every_combination_passes_strict_linting(major: int, values: str) -> None:
    outcome = helm(major, "lint", "--strict", CHART, "--values", values)
    assert outcome.code == 0, outcome.output


@BOTH
def test_the_chart_passes_strict_linting_as_it_stands(major: int) -> None:
    outcome = helm(major, "lint", "--strict", CHART)
    assert outcome.code == 0, outcome.output


@pytest.mark.parametrize("name", NAMES)
def test_helm_3_makes_the_same_of_a_combination_as_helm_4(
    combinations: Mapping[str, tuple[Json, ...]], name: str
) -> None:
    assert sorted(rendered(major=3, base=name), key=title) == sorted(combinations[name], key=title)


@pytest.mark.parametrize("name", NAMES)
def test_no_two_objects_of_a_combination_have_the_same_name(
    combinations: Mapping[str, tuple[Json, ...]], name: str
) -> None:
    made = combinations[name]
    keys = {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in made}
    assert len(keys) == len(made)


def test_names_follow_the_release(default: tuple[Json, ...]) -> None:
    outcome = helm(
        4, "template", "edge", CHART, "--namespace=burst", f"--kube-version={KUBERNETES}", values=BRIDGE
    )
    made = objects(outcome.output)
    assert all(each["metadata"]["name"].startswith("edge-spillway") for each in made)
    assert {each["metadata"].get("namespace") for each in made} == {
        None,
        "burst",
        "kube-system",
        "kube-node-lease",
        "default",
    }


def of_release(name: str, *arguments: str) -> tuple[Json, ...]:
    outcome = helm(4, "template", name, CHART, f"--kube-version={KUBERNETES}", *arguments, values={**BRIDGE})
    assert outcome.code == 0, outcome.errors
    return objects(outcome.output)


@pytest.mark.parametrize("name", ["x", "our.release.v2", "a" * 53, "a-" * 26 + "b"])
def test_services_have_names_that_dns_knows_whatever_the_release_is_called(name: str) -> None:
    names = [each["metadata"]["name"] for each in of_release(name) if each["kind"] == "Service"]
    assert len(names) == 3
    assert [each for each in names if not re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", each)] == []


def test_a_release_whose_name_begins_with_a_digit_is_told_to_take_another() -> None:
    assert "fullnameOverride" in helm(4, "template", "9lives", CHART, values={**BRIDGE}).errors


def test_without_a_namespace_it_is_the_kubeconfigs() -> None:
    made = of_release("spillway")
    assert one(made, "Deployment/spillway-webhook")["metadata"]["namespace"] == "default"


def test_two_releases_share_no_object_unless_both_ask_for_nodes() -> None:
    first, second = (
        {(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in made}
        for made in (
            of_release("spillway", "--set=extender.settings.handover=true"),
            of_release("two", "--set=extender.settings.handover=true"),
        )
    )
    assert first & second == {("PriorityClass", None, "spillway-placeholder")}


EVIL = 'it\'s "q" {{ .Values.x }}\n- a: b #c\t: %'


def test_texts_arrive_as_they_are_written() -> None:
    made = rendered(
        {
            "commonAnnotations": {"said": EVIL},
            "bridge": {
                "podAnnotations": {"said": EVIL},
                "env": [{"name": "SAID", "value": EVIL}],
                "settings": {"zone": EVIL, "logGroup": EVIL},
            },
        }
    )
    assert {each["metadata"]["annotations"]["said"] for each in made} == {EVIL}
    bridge = one(made, "StatefulSet/spillway-bridge")
    found = environment(bridge)
    assert bridge["spec"]["template"]["metadata"]["annotations"]["said"] == EVIL
    assert (found["SAID"], found["SPILLWAY_ZONE"], found["SPILLWAY_LOG_GROUP"]) == (EVIL, EVIL, EVIL)


BRIDGE = {
    "bridge": {
        "settings": {
            "subnets": ["subnet-0abc"],
            "executionRole": "arn:aws:iam::123456789012:role/spillway-execution",
        }
    }
}


def test_every_label_and_annotation_that_is_wanted_everywhere_is_everywhere() -> None:
    made = rendered({"commonLabels": {"team": "platform"}, "commonAnnotations": {"source": "chart"}})
    assert {each["metadata"]["labels"]["team"] for each in made} == {"platform"}
    assert {each["metadata"]["annotations"]["source"] for each in made} == {"chart"}


def test_a_wish_for_all_objects_never_changes_what_pods_are_selected_by(default: tuple[Json, ...]) -> None:
    made = rendered({"commonLabels": {"team": "platform"}})
    assert [each["spec"]["selector"] for each in made if "selector" in each.get("spec", {})] == [
        each["spec"]["selector"] for each in default if "selector" in each.get("spec", {})
    ]


def test_the_notes_print_the_extender_for_a_kube_scheduler_of_ones_own() -> None:
    notes = helm(
        4, "install", "spillway", CHART, "--dry-run=client", values={"actuator": "scheduler", **BRIDGE}
    ).output
    assert "urlPrefix: https://spillway-extender.default.svc:443" in notes


@pytest.mark.parametrize(
    ("drain", "command"),
    [
        pytest.param({}, "helm uninstall spillway --namespace default\n", id="within what Helm waits"),
        pytest.param({"timeoutSeconds": 600}, "--namespace default --timeout 710s\n", id="longer"),
        pytest.param({"force": True}, "--namespace default --timeout 410s\n", id="by force"),
    ],
)
def test_the_notes_give_an_uninstall_as_long_as_its_job_may_take(drain: Json, command: str) -> None:
    notes = helm(
        4, "install", "spillway", CHART, "--dry-run=client", values={"drain": drain, **BRIDGE}
    ).output
    assert command in notes


def test_the_notes_tell_how_things_stand_for_who_has_kubectl_alone() -> None:
    notes = helm(4, "install", "edge", CHART, "--dry-run=client", values=BRIDGE).output
    assert "kubectl -n default exec deploy/edge-spillway-extender -- spillway status\n" in notes


def test_the_notes_upgrade_with_the_files_of_values_and_in_the_namespace() -> None:
    notes = helm(4, "install", "spillway", CHART, "--dry-run=client", values=BRIDGE).output
    assert "helm upgrade spillway charts/spillway --namespace default --values values.yaml --set " in notes
    assert "--reuse-values" not in notes
