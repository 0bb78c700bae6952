from typing import Any

import pytest

from app.bridge.translation.environment.hostname import hostname_of
from app.model.reason import Reason
from tests.builders import a_pod

LONG = "a" * 62 + "-" + "b" * 40


@pytest.mark.parametrize(
    ("name", "spec", "hostname"),
    [
        pytest.param("web-1", {}, "web-1", id="the-pods-name"),
        pytest.param(LONG, {}, "a" * 62, id="cut-to-63-and-no-dash-at-the-end"),
        pytest.param("web-1", {"hostname": "db"}, "db", id="its-own"),
        pytest.param("web-1", {"hostname": "db", "subdomain": "x"}, "db", id="short-unless-asked"),
        pytest.param("web-1", {"setHostnameAsFQDN": True}, "web-1", id="no-domain-to-add"),
        pytest.param(
            "web-1",
            {"setHostnameAsFQDN": True, "hostname": "db", "subdomain": "x"},
            "db.x.shop.svc.cluster.local",
            id="full",
        ),
        pytest.param("web-1", {"hostnameOverride": "a.b.example"}, "a.b.example", id="override"),
    ],
)
def test_a_pods_hostname_is_kubelets(name: str, spec: dict[str, Any], hostname: str) -> None:
    assert hostname_of(a_pod(name, **spec), cluster_domain="") == hostname


def test_the_full_name_ends_with_the_clusters_domain() -> None:
    pod = a_pod("w", setHostnameAsFQDN=True, subdomain="x")
    assert hostname_of(pod, cluster_domain="k8s.example") == "w.x.shop.svc.k8s.example"


def test_a_full_name_that_no_kernel_takes_is_refused() -> None:
    pod = a_pod("w" * 40, setHostnameAsFQDN=True, subdomain="x")
    answer = hostname_of(pod, cluster_domain="cluster.local")
    assert isinstance(answer, Reason)
    assert answer.code == "HostnameTooLong"
    assert "has 65 characters" in answer.message
