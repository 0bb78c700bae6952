import stat
from pathlib import Path

from cryptography import x509

from app.local.leaves import KUBELET_CLIENT, apiserver_leaf, kubelet_client_leaf, write_leaf
from app.tls.authority import Authority
from tests.fakes import VirtualClock

NOW = VirtualClock().now()


def test_a_key_is_for_its_owner_only(tmp_path: Path) -> None:
    authority = Authority.create("tests", now=NOW)
    cert, key = write_leaf(tmp_path, "kubelet", kubelet_client_leaf(authority, now=NOW))
    assert (cert.name, key.name) == ("kubelet.crt", "kubelet.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_api_server_comes_to_kubelets_under_the_name_that_they_expect() -> None:
    leaf = kubelet_client_leaf(Authority.create("tests", now=NOW), now=NOW)
    subject = x509.load_pem_x509_certificate(leaf.cert_pem).subject
    assert subject.rfc4514_string() == f"CN={KUBELET_CLIENT},O=system:masters"


def test_the_api_server_is_verified_on_loopback_and_by_its_services_names() -> None:
    leaf = apiserver_leaf(Authority.create("tests", now=NOW), now=NOW, ips=("10.0.0.1",))
    names = x509.load_pem_x509_certificate(leaf.cert_pem).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert [str(each) for each in names.value.get_values_for_type(x509.IPAddress)] == [
        "127.0.0.1",
        "10.0.0.1",
    ]
    assert "kubernetes.default.svc" in names.value.get_values_for_type(x509.DNSName)
