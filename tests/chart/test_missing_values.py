"""Values that are taken away with `null`, or that an older release does not know, get their default."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import (
    CHART,
    KUBERNETES,
    NAMESPACE,
    Json,
    combination,
    container,
    helm,
    merged,
    one,
    pod_spec,
    rendered,
    template,
)

BOTH = pytest.mark.parametrize("major", [3, 4])
VALUES: Json = yaml.safe_load((CHART / "values.yaml").read_text())
WHOLE = {"labels", "nodeSelector", "podSecurityContext", "resources", "securityContext"}
EVERYTHING: Json = merged(
    combination("second-scheduler"),
    {
        "bridge": {"replicas": 2},
        "networkPolicy": {"enabled": True},
        "monitoring": {
            "serviceMonitor": {"enabled": True},
            "prometheusRule": {"enabled": True},
            "grafanaDashboard": {"enabled": True},
        },
    },
)
"""As much as one release can have."""


def leaves(tree: Json, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in tree.items():
        if isinstance(value, dict) and value and name not in WHOLE:
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name)


def is_said(path: tuple[str, ...], values: Json) -> bool:
    """Whether the values say something else there than the chart does."""
    found: Any = values
    for name in path:
        if not isinstance(found, dict) or name not in found:
            return False
        found = found[name]
    return True


def null_at(paths: Iterator[tuple[str, ...]]) -> Json:
    nulls: Json = {}
    for path in paths:
        tree = nulls
        for name in path[:-1]:
            tree = tree.setdefault(name, {})
        tree[path[-1]] = None
    return nulls


@BOTH
def test_null_for_every_value_is_its_default(major: int) -> None:
    nulls = null_at(path for path in leaves(VALUES) if not is_said(path, EVERYTHING))
    assert len(list(leaves(nulls))) > 200
    assert template(merged(nulls, EVERYTHING), major=major).output == template(EVERYTHING, major=major).output


@pytest.mark.parametrize("section", sorted(VALUES))
def test_null_for_a_whole_section_is_its_defaults_or_a_fault_that_is_named(section: str) -> None:
    outcome = template({section: None}, base="default")
    told = outcome.code == 0 or "these values cannot work" in outcome.errors
    assert told, outcome.errors


@BOTH
def test_an_upgrade_that_reuses_values_of_a_release_that_knows_none_of_ours(
    tmp_path: Path, major: int
) -> None:
    chart = tmp_path / "spillway"
    shutil.copytree(CHART, chart)
    (chart / "values.yaml").write_text("{}")
    place = (f"--namespace={NAMESPACE}", f"--kube-version={KUBERNETES}")
    outcome = helm(major, "template", "spillway", chart, *place, values=EVERYTHING)
    assert outcome.code == 0, outcome.errors
    assert outcome.output == template(EVERYTHING, major=major).output


def test_a_default_in_an_object_of_kubernetes_can_be_left_out() -> None:
    made = rendered(
        {
            "podSecurityContext": {"runAsUser": None, "fsGroup": None},
            "webhook": {"nodeSelector": {"kubernetes.io/os": None}, "resources": {"limits": {"cpu": None}}},
        }
    )
    webhook = one(made, "Deployment/spillway-webhook")
    assert pod_spec(webhook)["securityContext"].keys() == {"runAsNonRoot", "runAsGroup", "seccompProfile"}
    assert "nodeSelector" not in pod_spec(webhook)
    assert container(webhook)["resources"]["limits"] == {"memory": "256Mi"}
