"""The places where certificates of ours are judged."""

import msgspec

from app.doctor.configurations import held
from app.doctor.endpoints import endpoints, services
from app.doctor.seen import Unread
from app.model.installed import Host
from tests.doctor.look import a_configuration, configured, webhooks

SERVICE = {"service": {"name": "w", "namespace": "own", "path": "/mutate/enabled"}, "caBundle": "YQ=="}
HOST = {
    "metadata": {"name": "fargate"},
    "status": {
        "addresses": [{"type": "InternalIP", "address": "10.0.0.7"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
    },
}


def test_certificates_are_looked_for_once_at_each_place() -> None:
    found = endpoints(
        webhooks(clientConfig=SERVICE),
        held(configured(a_configuration(), a_configuration())),
        (msgspec.convert(HOST, Host),),
        namespace="spillway",
    )
    assert [(each.host, each.port, each.in_secret, each.trusted) for each in found] == [
        ("w.own.svc", 443, True, b"a"),
        ("127.0.0.1", 9443, False, b"an authority"),
        ("10.0.0.7", 10250, False, b""),
    ]
    assert [each.is_verified for each in found] == [True, True, False]


def test_places_that_are_services_are_asked_once_through_the_api_server() -> None:
    extender = a_configuration(urlPrefix="https://spillway-extender.spillway.svc:443")
    asked = endpoints(
        webhooks(clientConfig=SERVICE),
        held(configured(extender)),
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
    [found] = endpoints((), held(configured(configuration)), (), namespace="spillway")
    assert (found.host, found.name, found.trusted) == ("10.96.3.4", "spillway-extender.spillway.svc", b"a")
    assert found.in_secret


def test_a_node_without_an_address_is_left_out() -> None:
    assert endpoints((), (), (msgspec.convert({"metadata": {"name": "x"}}, Host),), namespace="s") == ()


def test_what_cannot_be_read_hides_its_own_places_alone() -> None:
    found = endpoints(
        Unread("403"),
        held(configured(a_configuration())),
        (msgspec.convert(HOST, Host),),
        namespace="spillway",
    )
    assert [each.host for each in found] == ["127.0.0.1", "10.0.0.7"]
    assert endpoints(Unread("403"), (), Unread("403"), namespace="spillway") == ()
