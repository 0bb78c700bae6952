"""Pods that ask for another platform are refused; any other placement is the scheduler's."""

from typing import Any

import pytest

from app.fargate.eligibility import refusals
from tests.builders import a_pod
from tests.fargate.samples import (
    found,
)


def required(*terms: dict[str, Any]) -> dict[str, Any]:
    selector = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector}}


def term(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


ARCH = "kubernetes.io/arch"


@pytest.mark.parametrize(
    "affinity",
    [
        pytest.param(required(term(ARCH, "In", "arm64", "amd64")), id="both-architectures"),
        pytest.param(required(term(ARCH, "In", "s390x"), term(ARCH, "In", "amd64")), id="one-term-admits"),
        pytest.param(required(term(ARCH, "In", "arm64")), id="arm64"),
        pytest.param(required(term(ARCH, "NotIn", "amd64")), id="not-amd64"),
        pytest.param(required(term(ARCH, "NotIn", "s390x")), id="not-the-other"),
        pytest.param(required(term(ARCH, "Exists")), id="any"),
        pytest.param(required(term("zone", "In", "a")), id="another-label"),
        pytest.param({"nodeAffinity": None}, id="null"),
        pytest.param({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}}, id="pods"),
        pytest.param(
            {
                "nodeAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {"weight": 1, "preference": term(ARCH, "In", "arm64")}
                    ]
                }
            },
            id="a-mere-preference",
        ),
    ],
)
def test_affinity_that_admits_our_platform_runs(affinity: dict[str, Any]) -> None:
    assert refusals(a_pod(affinity=affinity)) == ()


@pytest.mark.parametrize(
    "affinity",
    [
        pytest.param(required(term(ARCH, "In", "s390x", "ppc64le")), id="others"),
        pytest.param(required(term(ARCH, "NotIn", "amd64", "arm64")), id="neither"),
        pytest.param(required(term(ARCH, "DoesNotExist")), id="no-architecture"),
        pytest.param(required(term("kubernetes.io/os", "In", "windows")), id="windows"),
        pytest.param(required(term(ARCH, "In", "ppc64le"), term(ARCH, "In", "s390x")), id="every-term"),
    ],
)
def test_affinity_for_another_platform_is_refused(affinity: dict[str, Any]) -> None:
    assert found(a_pod(affinity=affinity)) == [("Platform", "spec.affinity.nodeAffinity")]


@pytest.mark.parametrize(
    "affinity",
    [
        pytest.param("spread", id="text"),
        pytest.param({"nodeAffinity": []}, id="list"),
        pytest.param(required({"matchExpressions": [{"key": 1}]}), id="a-number-for-a-key"),
        pytest.param(
            {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": "any"}}, id="preferred-text"
        ),
    ],
)
def test_affinity_of_the_wrong_shape_is_a_reason_not_a_crash(affinity: Any) -> None:
    assert found(a_pod(affinity=affinity)) == [("InvalidAffinity", "spec.affinity")]
