from typing import Any

import pytest

from app.bridge.translation.environment.resolution import (
    Resolver,
    host_lines,
    resolver,
    resolver_lines,
    resolver_variables,
)
from tests.bridge.translation.builders import settings
from tests.builders import a_pod

CLUSTER = ("shop.svc.cluster.local", "svc.cluster.local", "cluster.local")


def wanted(domain: str = "cluster.local", **spec: Any) -> Resolver:
    return resolver(a_pod(**spec), settings=settings(cluster_domain=domain))


@pytest.mark.parametrize(
    ("domain", "spec", "expected"),
    [
        pytest.param("", {}, Resolver(), id="the-vpc's-own"),
        pytest.param("cluster.local", {}, Resolver((), CLUSTER, ("ndots:5",)), id="cluster-first"),
        pytest.param("cluster.local", {"dnsPolicy": "Default"}, Resolver(), id="default"),
        pytest.param(
            "cluster.local",
            {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.0.0.2", "10.0.0.2"], "searches": ["x"]}},
            Resolver(("10.0.0.2",), ("x",)),
            id="none",
        ),
        pytest.param(
            "cluster.local",
            {"dnsConfig": {"searches": ["x", "svc.cluster.local"]}},
            Resolver((), (*CLUSTER, "x"), ("ndots:5",)),
            id="searches-are-added-once",
        ),
        pytest.param(
            "cluster.local",
            {"dnsConfig": {"options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]}},
            Resolver((), CLUSTER, ("ndots:2", "edns0")),
            id="options-win",
        ),
        pytest.param("", {"dnsConfig": {"searches": ["x"]}}, Resolver((), ("x",)), id="without-the-cluster"),
    ],
)
def test_the_policy_and_the_config_make_the_resolver(
    domain: str, spec: dict[str, Any], expected: Resolver
) -> None:
    assert wanted(domain, **spec) == expected


def test_glibc_reads_search_list_and_options_from_variables() -> None:
    assert resolver_variables(Resolver(("10.0.0.2",), ("a", "b"), ("ndots:5", "edns0"))) == {
        "LOCALDOMAIN": "a b",
        "RES_OPTIONS": "ndots:5 edns0",
    }


def test_nothing_wanted_sets_no_variable() -> None:
    assert resolver_variables(Resolver()) == {}


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        pytest.param(Resolver(), (), id="nothing"),
        pytest.param(Resolver(("10.0.0.2",)), ("resolve 10.0.0.2 - -",), id="servers"),
        pytest.param(Resolver((), ("a", "b"), ("ndots:5",)), ("resolve - a,b ndots:5",), id="the-rest"),
    ],
)
def test_the_helper_writes_resolv_conf(asked: Resolver, lines: tuple[str, ...]) -> None:
    assert resolver_lines(asked) == lines


def test_the_helper_writes_a_line_for_each_host_alias() -> None:
    aliases = [{"ip": "10.0.0.1", "hostnames": ["db", "db.shop"]}, {"ip": "::1", "hostnames": ["six"]}]
    assert host_lines(a_pod(hostAliases=aliases).spec.host_aliases) == (
        "host 10.0.0.1 db db.shop",
        "host ::1 six",
    )
