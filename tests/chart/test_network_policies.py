"""NetworkPolicies let through what the programs need, where nothing else is let through."""

from collections.abc import Mapping

import pytest

from tests.chart.rendering import Json, is_hook, merged, one, rendered, workloads

API = ["10.0.16.0/28", "10.0.16.16/28"]


@pytest.fixture(scope="session")
def named(combinations: Mapping[str, tuple[Json, ...]]) -> tuple[Json, ...]:
    """The API server, the monitoring and the tasks are named."""
    return combinations["network-policies"]


@pytest.fixture(scope="session")
def unnamed(combinations: Mapping[str, tuple[Json, ...]]) -> tuple[Json, ...]:
    """Nothing is known but ports."""
    return combinations["network-policies-open"]


def policy(all_objects: tuple[Json, ...], name: str) -> Json:
    return dict(one(all_objects, f"NetworkPolicy/spillway-{name}")["spec"])


def blocks(peers: list[Json]) -> list[str]:
    return [each["ipBlock"]["cidr"] for each in peers if "ipBlock" in each]


def components(peers: list[Json]) -> set[str]:
    selectors = [each["podSelector"] for each in peers if "podSelector" in each]
    return {each["matchLabels"]["app.kubernetes.io/component"] for each in selectors}


def ports(rule: Json) -> set[int | str]:
    return {each["port"] for each in rule.get("ports", [])}


def test_every_pod_of_ours_is_selected_by_a_policy(named: tuple[Json, ...]) -> None:
    selected = {
        each["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for each in named
        if each["kind"] == "NetworkPolicy" and not is_hook(each)
    }
    made = {each["metadata"]["labels"]["app.kubernetes.io/component"] for each in workloads(named)}
    assert selected == made == {"webhook", "extender", "bridge", "issuer", "scheduler", "drain", "doctor"}


@pytest.mark.parametrize("name", ["webhook", "extender"])
def test_policies_name_the_api_server_where_it_is_known(named: tuple[Json, ...], name: str) -> None:
    (rule,) = policy(named, name)["ingress"]
    assert blocks(rule["from"]) == API


@pytest.mark.parametrize("name", ["webhook", "extender"])
def test_policies_let_anybody_reach_what_the_api_server_calls_where_it_is_not(
    unnamed: tuple[Json, ...], name: str
) -> None:
    assert policy(unnamed, name)["ingress"] == [{"ports": [{"port": "https", "protocol": "TCP"}]}]


def test_the_webhook_may_call_nobody(named: tuple[Json, ...]) -> None:
    found = policy(named, "webhook")
    assert (found["policyTypes"], found["egress"]) == (["Ingress", "Egress"], [])


def test_the_second_scheduler_reaches_the_extender_by_its_service_and_by_its_pods(
    named: tuple[Json, ...],
) -> None:
    rule = policy(named, "scheduler")["egress"][-1]
    assert (ports(rule), components(rule["to"])) == ({443, 8443}, {"extender"})


@pytest.mark.parametrize("name", ["bridge", "drain"])
def test_who_asks_aws_reaches_it_and_the_agents_that_give_roles(named: tuple[Json, ...], name: str) -> None:
    anywhere = [rule for rule in policy(named, name)["egress"] if "to" not in rule]
    assert {443, 80, 53} <= {port for rule in anywhere for port in ports(rule)}


def test_an_uninstall_has_its_policy_after_the_release_too(named: tuple[Json, ...]) -> None:
    kept = one(named, "NetworkPolicy/spillway-drain-leases")
    assert kept["metadata"]["annotations"]["helm.sh/hook"] == "post-delete"
    assert kept["spec"]["podSelector"] == policy(named, "drain")["podSelector"]
    (rule,) = [each for each in kept["spec"]["egress"] if 6443 in ports(each)]
    assert blocks(rule["to"]) == API


def test_nobody_calls_what_runs_once(named: tuple[Json, ...]) -> None:
    assert [policy(named, name)["ingress"] for name in ("drain", "drain-leases", "doctor")] == [[], [], []]


def test_the_doctor_reaches_those_whose_certificates_it_tries(named: tuple[Json, ...]) -> None:
    rule = policy(named, "doctor")["egress"][-1]
    assert (ports(rule), "to" in rule) == ({443, 8443, 10250}, False)


def test_without_an_uninstall_that_drains_and_a_test_there_are_no_policies_for_them() -> None:
    wish = {"networkPolicy": {"enabled": True}, "drainOnUninstall": False, "doctor": {"enabled": False}}
    found = {each["metadata"]["name"] for each in rendered(wish) if each["kind"] == "NetworkPolicy"}
    assert found == {f"spillway-{name}" for name in ("webhook", "extender", "bridge", "issuer")}


def test_a_given_scheduler_is_let_in_beside_the_api_server() -> None:
    peer = {"ipBlock": {"cidr": "10.9.0.0/24"}}
    wish = {"networkPolicy": {"enabled": True, "apiServerCidrs": API, "schedulerPeers": [peer]}}
    (rule,) = policy(rendered(merged(wish, {}), base="own-scheduler"), "extender")["ingress"]
    assert blocks(rule["from"]) == [*API, "10.9.0.0/24"]
