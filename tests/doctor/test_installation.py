"""What is read off an installation's objects: its accounts, its Secret, and the pods to try."""

from typing import Any

import msgspec
import pytest

from app.doctor.installation import attempts, setup_of, tls_secret
from app.doctor.rights import PRIORITY_CLASS, SIGNER
from app.doctor.seen import Policy
from app.model import names
from app.model.installed import Workload
from app.model.wire import Json
from tests.doctor.look import a_namespace, a_virtual, a_workload

UNASKED = frozenset({"own", "kube-system"})


def setup(*workloads: Workload, policy: Policy | None = None, namespaces: Any = ()) -> Any:
    return setup_of(
        workloads,
        namespace="spillway",
        policy=policy or Policy(return_home=False),
        nodes=(a_virtual(),),
        namespaces=tuple(namespaces),
    )


def test_accounts_are_those_of_the_pods() -> None:
    found = setup(a_workload("bridge"), a_workload("extender"), a_workload("webhook"))
    assert found.accounts == {"bridge": "spillway-bridge", "extender": "spillway-extender"}


def test_others_deployments_are_not_taken_for_ours() -> None:
    other = a_workload("bridge")
    labels = {**other.metadata.labels, "app.kubernetes.io/part-of": "elsewhere"}
    changed = msgspec.structs.replace(other, metadata=msgspec.structs.replace(other.metadata, labels=labels))
    assert setup(changed).accounts == {}


@pytest.mark.parametrize(
    ("policy", "variables", "when"),
    [
        pytest.param(Policy(return_home=False), {}, set(), id="nothing"),
        pytest.param(Policy(), {}, {"return-home"}, id="by-default"),
        pytest.param(
            Policy(actuator="toleration", handover=True),
            {},
            {"toleration", "handover", "return-home"},
            id="policy",
        ),
        pytest.param(
            Policy(return_home=False),
            {"KUBELET_CERT_SIGNER": "s", "KUBELET_CERT_APPROVE": "true"},
            {"signer", "approval"},
            id="variables",
        ),
    ],
)
def test_settings_tell_which_rights_are_needed(policy: Policy, variables: Any, when: set[str]) -> None:
    assert setup(a_workload("bridge", **variables), policy=policy).when == when


def test_names_come_from_the_programs_variables() -> None:
    found = setup(
        a_workload("extender", PLACEHOLDER_PRIORITY_CLASS="low"),
        a_workload("bridge", KUBELET_CERT_SIGNER="s"),
    )
    assert (found.names[PRIORITY_CLASS], found.names[SIGNER]) == ("low", "s")


def test_the_secret_is_the_one_that_is_mounted() -> None:
    assert tls_secret((a_workload("issuer"),)) == "spillway-tls"
    mounted = a_workload("webhook")
    assert tls_secret((mounted,)) == "spillway-tls"


def test_a_pod_is_tried_for_each_entry_that_a_namespace_lets_us_try() -> None:
    namespaces = (
        a_namespace("kube-system", overflow="enabled"),
        a_namespace("own", overflow="permitted"),
        a_namespace("a", overflow="permitted"),
        a_namespace("b", overflow="enabled"),
        a_namespace("c", overflow="enabled"),
    )
    found = [
        (each.namespace, each.word) for each in attempts(namespaces, unasked=UNASKED, actuator="scheduler")
    ]
    assert found == [("b", "enabled"), ("a", "permitted"), ("default", "tolerant")]
    assert [each.word for each in attempts(namespaces, unasked=UNASKED, actuator="toleration")] == [
        "enabled",
        "permitted",
    ]


def test_the_tolerant_pod_goes_through_its_own_entry_alone() -> None:
    [attempt] = attempts((), unasked=UNASKED, actuator="scheduler")
    pod: Json = attempt.pod
    assert pod["metadata"]["labels"] == {names.OVERFLOW: names.DISABLED}
    assert pod["spec"]["tolerations"][0]["key"] == names.TAINT_KEY
