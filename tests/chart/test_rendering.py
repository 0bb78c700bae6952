"""Helm 3 and 4 accept the chart, and make the same of it."""

from collections.abc import Mapping

import pytest

from tests.chart.rendering import CHART, COMBINATIONS, KUBERNETES, NAMES, Json, helm, objects, rendered, title

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
    }


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
