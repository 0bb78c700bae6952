"""YAML and JSON of the documentation are what Kubernetes, the chart and AWS take; diagrams are diagrams."""

import json
import re
from typing import Any

import hcl2
import jsonschema  # type: ignore[import-untyped]  # it ships no types
import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types
import pytest
import yaml

from tests.chart.rendering import CHART, helm_path, template
from tests.docs.fences import ROOT, Fence, all_fences

Json = dict[str, Any]
VERSION = "1.36"
DIAGRAMS = ("flowchart ", "sequenceDiagram", "stateDiagram-v2")


def of(language: str) -> list[Any]:
    found = [each for each in all_fences() if each.language == language]
    return [pytest.param(each, id=str(each)) for each in found]


def is_values(fence: Fence) -> bool:
    return "values" in fence.title


OBJECTS = [each for each in of("yaml") if not is_values(each.values[0])]
VALUES = [each for each in of("yaml") if is_values(each.values[0])]


@pytest.mark.parametrize("fence", OBJECTS)
def test_an_object_is_one_of_kubernetes(fence: Fence) -> None:
    [kubernetes_validate.validate(each, VERSION, strict=True) for each in yaml.safe_load_all(fence.text)]


@pytest.mark.parametrize("fence", VALUES)
def test_values_are_ones_of_the_chart(fence: Fence) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.validate(merged(yaml.safe_load(CHART.joinpath("values.yaml").read_text()), fence.text), schema)


@pytest.mark.parametrize("fence", VALUES)
def test_values_make_an_installation_of_the_default_one(fence: Fence) -> None:
    if not helm_path(4):
        pytest.skip("helm cannot be fetched")
    outcome = template(yaml.safe_load(fence.text))
    assert (outcome.code, outcome.errors) == (0, "")


def merged(below: Json, text: str) -> Json:
    """As Helm lays values over those of the chart."""
    return _over(below, yaml.safe_load(text))


def _over(below: Json, above: Json) -> Json:
    both = {key: _over(below[key], value) for key, value in above.items() if isinstance(below.get(key), dict)}
    return {**below, **above, **both}


@pytest.mark.parametrize("fence", of("json"))
def test_a_policy_is_one(fence: Fence) -> None:
    policy = json.loads(fence.text)
    assert policy["Version"] == "2012-10-17"
    assert {each["Effect"] for each in policy["Statement"]} == {"Allow"}


@pytest.mark.parametrize("fence", of("hcl"))
def test_a_module_is_called_with_variables_that_it_has(fence: Fence) -> None:
    [module] = hcl2.loads(fence.text)["module"]
    [call] = module.values()
    given = {name for name in call if not name.startswith("__")} - {"source"}
    declared = (ROOT / "infrastructure" / "terraform" / "variables.tf").read_text()
    assert [name for name in given if f'variable "{name}"' not in declared] == []


@pytest.mark.parametrize("fence", of("mermaid"))
def test_a_diagram_begins_with_its_kind_and_closes_what_it_opens(fence: Fence) -> None:
    assert fence.text.startswith(DIAGRAMS)
    opened = len(re.findall(r"^\s*(?:subgraph|alt|loop|opt|par|state \S+ \{)\b", fence.text, re.MULTILINE))
    assert opened == len(re.findall(r"^\s*end$", fence.text, re.MULTILINE))
    assert [fence.text.count(each) for each in "[("] == [fence.text.count(each) for each in "])"]
