from app.settings import IssuerSettings, load
from app.wiring.issuer import config_of


def test_each_service_is_named_as_pods_and_the_api_server_may_name_it() -> None:
    config = config_of(load(IssuerSettings, {"namespace": "ops", "services": "a-webhook"}))
    assert config.dns == (
        "a-webhook",
        "a-webhook.ops",
        "a-webhook.ops.svc",
        "a-webhook.ops.svc.cluster.local",
    )


def test_addresses_are_told_from_names_and_written_in_one_way() -> None:
    given = {"services": "a", "extra_names": "10.0.0.7,fd00:0::1,web.example.com,a"}
    config = config_of(load(IssuerSettings, given))
    assert config.ips == ("10.0.0.7", "fd00::1")
    assert config.dns[-1] == "web.example.com"
    assert config.names == {*config.dns, *config.ips}
