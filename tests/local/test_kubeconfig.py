import pytest

from app.local.kubeconfig import admin_kubeconfig, server_port


@pytest.mark.parametrize(
    ("url", "port"),
    [
        pytest.param("https://127.0.0.1:6443", 6443, id="named"),
        pytest.param("https://api.example", 443, id="of-https"),
    ],
)
def test_the_api_servers_port_is_read_back(url: str, port: int) -> None:
    assert server_port(admin_kubeconfig(url, token="t", ca_pem=b"")) == port
