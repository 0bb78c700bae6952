import pytest

from app.kube.authorities import Authorities
from app.ports.failures import Refused
from tests.kube.fakes import FakeTransport


async def test_the_authorities_are_those_of_the_api_servers_own_config_map() -> None:
    server = FakeTransport({"data": {"client-ca-file": "PEM", "requestheader-client-ca-file": "other"}})
    assert await Authorities(server).pem() == "PEM"
    path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
    assert server.asked[0].path == path


@pytest.mark.parametrize(
    "config_map",
    [
        pytest.param({}, id="no-data"),
        pytest.param({"data": None}, id="null"),
        pytest.param({"data": {"requestheader-client-ca-file": "other"}}, id="another-authority-alone"),
    ],
)
async def test_an_api_server_without_client_certificates_has_none(config_map: dict[str, object]) -> None:
    assert await Authorities(FakeTransport(config_map)).pem() == ""


async def test_a_refusal_names_the_role_that_is_there_for_it() -> None:
    with pytest.raises(Refused, match="extension-apiserver-authentication-reader"):
        await Authorities(FakeTransport(Refused("forbidden"))).pem()
