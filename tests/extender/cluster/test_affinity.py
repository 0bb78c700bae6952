from typing import Any

import pytest

from app.extender.cluster.affinity import admits, bears, pinned_to
from tests.builders import a_node, a_pod, a_virtual_node, opted_in_toleration

LABELS = {"tier": "gold", "cores": "8", "odd": "x"}


def required(*terms: dict[str, Any]) -> dict[str, Any]:
    selector = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector}}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def field(operator: str, *values: str) -> dict[str, Any]:
    return {"matchFields": [{"key": "metadata.name", "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("term", "admitted"),
    [
        pytest.param(expression("tier", "In", "gold", "tin"), True, id="In"),
        pytest.param(expression("tier", "In", "tin"), False, id="In, other value"),
        pytest.param(expression("none", "In", "gold"), False, id="In, no such label"),
        pytest.param(expression("tier", "NotIn", "tin"), True, id="NotIn"),
        pytest.param(expression("tier", "NotIn", "gold"), False, id="NotIn, same value"),
        pytest.param(expression("none", "NotIn", "gold"), True, id="NotIn, no such label"),
        pytest.param(expression("tier", "Exists"), True, id="Exists"),
        pytest.param(expression("none", "Exists"), False, id="Exists, no such label"),
        pytest.param(expression("none", "DoesNotExist"), True, id="DoesNotExist"),
        pytest.param(expression("tier", "DoesNotExist"), False, id="DoesNotExist, label there"),
        pytest.param(expression("cores", "Gt", "7"), True, id="Gt"),
        pytest.param(expression("cores", "Gt", "8"), False, id="Gt, equal"),
        pytest.param(expression("cores", "Gt", "10"), False, id="Gt compares numbers, not text"),
        pytest.param(expression("cores", "Lt", "10"), True, id="Lt"),
        pytest.param(expression("cores", "Lt", "8"), False, id="Lt, equal"),
        pytest.param(expression("odd", "Gt", "1"), False, id="Gt, label is no number"),
        pytest.param(expression("cores", "Gt", "x"), False, id="Gt, value is no number"),
        pytest.param(expression("cores", "Gt", "1", "2"), False, id="Gt, two values"),
        pytest.param(expression("none", "Lt", "1"), False, id="Lt, no such label"),
        pytest.param(expression("tier", "Like", "g"), False, id="unknown operator"),
        pytest.param(field("In", "n1"), True, id="field In"),
        pytest.param(field("In", "n2"), False, id="field In, other node"),
        pytest.param(field("NotIn", "n2"), True, id="field NotIn"),
        pytest.param(field("NotIn", "n1"), False, id="field NotIn, this node"),
        pytest.param(field("In", "n1", "n2"), False, id="field In takes one value only"),
        pytest.param(field("Exists"), False, id="field knows no other operator"),
        pytest.param(
            {"matchFields": [{"key": "spec.nodeName", "operator": "NotIn", "values": ["n2"]}]},
            False,
            id="no other field",
        ),
        pytest.param({}, False, id="an empty term admits nothing"),
        pytest.param(
            {**expression("tier", "In", "gold"), **field("In", "n2")}, False, id="all parts of a term count"
        ),
    ],
)
def test_a_required_term_is_evaluated_as_the_scheduler_does(term: dict[str, Any], admitted: bool) -> None:
    assert admits(a_pod(affinity=required(term)), a_node("n1", labels=LABELS)) is admitted


@pytest.mark.parametrize(
    ("spec", "admitted"),
    [
        pytest.param({}, True, id="no wish"),
        pytest.param({"affinity": {"podAntiAffinity": {}}}, True, id="only other affinities"),
        pytest.param({"affinity": {"nodeAffinity": {}}}, True, id="only preferences"),
        pytest.param({"affinity": required()}, False, id="no terms"),
        pytest.param(
            {"affinity": required(expression("tier", "In", "tin"), expression("tier", "Exists"))},
            True,
            id="one of several terms",
        ),
        pytest.param({"affinity": {"nodeAffinity": "nonsense"}}, False, id="malformed"),
        pytest.param({"nodeSelector": {"tier": "gold"}}, True, id="selector"),
        pytest.param({"nodeSelector": {"tier": "tin"}}, False, id="selector, other value"),
        pytest.param({"nodeSelector": {"none": ""}}, False, id="selector, no such label"),
        pytest.param(
            {"nodeSelector": {"tier": "tin"}, "affinity": required(expression("tier", "Exists"))},
            False,
            id="selector and affinity both count",
        ),
    ],
)
def test_selector_and_affinity_together_admit(spec: dict[str, Any], admitted: bool) -> None:
    assert admits(a_pod(**spec), a_node("n1", labels=LABELS)) is admitted


@pytest.mark.parametrize(
    ("affinity", "pinned"),
    [
        pytest.param(None, set(), id="none"),
        pytest.param(required(field("In", "n1")), {"n1"}, id="as the DaemonSet controller writes it"),
        pytest.param(
            required({**expression("tier", "Exists"), **field("In", "n1")}), {"n1"}, id="beside expressions"
        ),
        pytest.param(required(field("In", "n1"), field("In", "n2")), {"n1", "n2"}, id="two nodes"),
        pytest.param(required(field("In", "n1"), expression("tier", "Exists")), set(), id="an open term"),
        pytest.param(required(field("NotIn", "n1")), set(), id="excluded only"),
    ],
)
def test_a_pod_is_pinned_by_the_field_metadata_name(affinity: Any, pinned: set[str]) -> None:
    assert pinned_to(a_pod(affinity=affinity)) == pinned


NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("taints", "transient", "borne"),
    [
        pytest.param([], True, True, id="no taint"),
        pytest.param([NOT_READY], False, True, id="passing states are left out"),
        pytest.param([NOT_READY], True, False, id="unless asked for"),
        pytest.param([{"key": "team", "value": "a", "effect": "NoSchedule"}], False, False, id="foreign"),
        pytest.param([{"key": "team", "effect": "PreferNoSchedule"}], True, True, id="soft"),
    ],
)
def test_a_pod_bears_the_taints_that_it_tolerates(
    taints: list[dict[str, str]], transient: bool, borne: bool
) -> None:
    assert bears(a_pod(), a_node(taints=taints), transient=transient) is borne


def test_the_toleration_of_the_webhook_bears_the_virtual_node() -> None:
    assert bears(a_pod(tolerations=[opted_in_toleration()]), a_virtual_node(), transient=True)
    assert not bears(a_pod(), a_virtual_node(), transient=True)
