"""What is read off an installation's objects: its accounts, trials, and the places where certificates are."""

from typing import Any

import msgspec
import pytest

from app.doctor.configurations import held
from app.doctor.installation import attempts, endpoints, services, setup_of, tls_secret
from app.doctor.rights import PRIORITY_CLASS, SIGNER
from app.doctor.seen import Policy
from app.model import names
from app.model.installed import Host, Workload
from app.model.wire import Json
from tests.doctor.look import a_configuration, a_namespace, a_virtual, a_workload, webhooks

SERVICE = {"service": {"name": "w", "namespace": "own", "path": "/mutate/enabled"}, "caBundle": "YQ=="}
HOST = {
    "metadata": {"name": "fargate"},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "10.0.0.7"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    },
}


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


def test_certificates_are_looked_for_once_at_each_place() -> None:
    found = endpoints(
        webhooks(clientConfig=SERVICE),
        held((a_configuration(), a_configuration())),
        (msgspec.convert(HOST, Host),),
        namespace="spillway",
    )
    assert [(each.host, each.port, each.in_secret, each.trusted) for each in found] == [
        ("w.own.svc", 443, True, b"a"),
        ("127.0.0.1", 9443, False, b"an authority"),
        ("10.0.0.7", 10250, False, b""),
    ]


def test_places_that_are_services_are_asked_once_through_the_api_server() -> None:
    extender = a_configuration(urlPrefix="https://spillway-extender.spillway.svc:443")
    asked = endpoints(
        webhooks(clientConfig=SERVICE),
        held((extender,)),
        (msgspec.convert(HOST, Host),),
        namespace="spillway",
    )
    assert [(each.namespace, each.name, each.port) for each in services(asked)] == [
        ("own", "w", 443),
        ("spillway", "spillway-extender", 443),
    ]


def test_an_extender_is_known_by_the_name_that_its_scheduler_wants() -> None:
    tls = {"serverName": "spillway-extender.spillway.svc", "caData": "YQ=="}
    configuration = a_configuration(urlPrefix="https://10.96.3.4:443", tlsConfig=tls)
    [found] = endpoints((), held((configuration,)), (), namespace="spillway")
    assert (found.host, found.name, found.trusted) == ("10.96.3.4", "spillway-extender.spillway.svc", b"a")
    assert found.in_secret


def test_a_node_without_an_address_is_left_out() -> None:
    assert endpoints((), (), (msgspec.convert({"metadata": {"name": "x"}}, Host),), namespace="s") == ()
