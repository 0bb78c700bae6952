from typing import Any

import msgspec
import pytest

from app.model.affinity import Requirement, Term, required_terms


def required(*terms: Any) -> dict[str, Any]:
    selector = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector}}


def test_each_term_keeps_its_expressions_and_its_fields() -> None:
    zone = {"key": "zone", "operator": "In", "values": ["a", "b"]}
    name = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    assert required_terms(required({"matchExpressions": [zone]}, {"matchFields": [name]})) == (
        Term(match_expressions=(Requirement(key="zone", operator="In", values=("a", "b")),)),
        Term(match_fields=(Requirement(key="metadata.name", operator="In", values=("n1",)),)),
    )


@pytest.mark.parametrize(
    "affinity",
    [
        pytest.param(None, id="no affinity"),
        pytest.param({}, id="an empty one"),
        pytest.param({"podAntiAffinity": {}}, id="only between pods"),
        pytest.param({"nodeAffinity": None}, id="null"),
        pytest.param({"nodeAffinity": {}}, id="nothing required"),
    ],
)
def test_without_a_requirement_there_are_no_terms(affinity: Any) -> None:
    assert required_terms(affinity) is None


def test_a_selector_without_terms_is_a_requirement_that_nothing_meets() -> None:
    assert required_terms(required()) == ()


@pytest.mark.parametrize(
    "affinity",
    [
        pytest.param("zone-a", id="text"),
        pytest.param(required("zone-a"), id="a term of text"),
        pytest.param(required({"matchExpressions": [{"key": "zone"}]}), id="no operator"),
        pytest.param({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": 1}}, id="number"),
    ],
)
def test_what_is_no_affinity_is_told(affinity: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        required_terms(affinity)
