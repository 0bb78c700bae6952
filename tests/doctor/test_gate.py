"""The virtual nodes as the rest of the cluster needs them, and their own API."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.doctor import gate, node_api
from app.doctor.finding import Level
from app.doctor.seen import Gate, Unread
from app.model import names
from app.model.grant import Grant, written
from app.model.installed import Host
from app.model.node import Node
from app.model.reason import Reason
from app.model.resources import Resources
from tests.builders import NOON, a_node
from tests.doctor.look import a_look, a_virtual, not_ok, told

GRANT = Grant(
    pod="shop/web",
    uid=names.PodUid("u1"),
    room=Resources(cpu_milli=500, pods=1),
    expires=NOON + timedelta(seconds=60),
)


def with_node(node: Node) -> Any:
    return a_look(nodes=(a_node(labels={names.ZONE_LABEL: "us-east-1a"}), node))


def a_host(*features: str) -> Host:
    body = {"metadata": {"name": "fargate"}, "status": {"declaredFeatures": features}}
    return msgspec.convert(body, Host)


def test_what_status_says_is_repeated_with_its_mend_apart() -> None:
    trouble = Reason("NoLeader", "no extender leads (there is no Lease): nothing bursts; look at its logs")
    [found, *_] = gate.check(a_look(gate=Gate(troubles=(trouble,))))
    assert found.level == Level.FAIL
    assert found.seen == "no extender leads (there is no Lease): nothing bursts"
    assert found.mend == "look at its logs"


def test_what_a_namespace_says_in_vain_is_told_as_the_namespaces() -> None:
    trouble = Reason("UnknownKey", "namespace shop: nobody reads the label x; do you mean y?")
    [found, *_] = gate.check(a_look(gate=Gate(troubles=(trouble,))))
    assert (found.subject, found.mend) == ("namespaces", "do you mean y?")


def test_a_gate_that_somebody_closed_is_told() -> None:
    seen = a_look(gate=Gate(holder="e", notes=(Reason("NoGateOpen", "no gate is open"),)))
    assert not_ok(gate.check, seen) == [(Level.WARN, "no gate is open")]


def test_what_status_could_not_read_is_told() -> None:
    seen = a_look(gate=Gate(holder="e", unread=("GET /x: 403",)))
    assert not_ok(gate.check, seen) == [(Level.SKIP, "not read: GET /x: 403")]


def test_a_hostname_fails_with_the_command_that_takes_it_off() -> None:
    text = told(gate.check, with_node(a_virtual(labels={"kubernetes.io/hostname": "fargate"})))
    assert "FAIL fargate has the label kubernetes.io/hostname" in text
    assert "| kubectl label node fargate kubernetes.io/hostname-" in text


@pytest.mark.parametrize(
    ("node", "level", "said"),
    [
        pytest.param(
            a_virtual(labels={names.NODE_TYPE_LABEL: "other"}),
            Level.FAIL,
            "lacks the labels type",
            id="label",
        ),
        pytest.param(
            a_virtual(labels={names.ZONE_LABEL: "us-east-1z"}),
            Level.WARN,
            '"us-east-1z", which has no real node',
            id="zone",
        ),
        pytest.param(
            a_virtual(cpu="100", memory="1Ti", pods="500"), Level.FAIL, "stands wide open", id="open"
        ),
    ],
)
def test_a_node_that_differs_is_told(node: Node, level: Level, said: str) -> None:
    [(found, seen)] = not_ok(gate.check, with_node(node))
    assert (found, said in seen) == (level, True)


def test_a_taint_of_another_effect_fails() -> None:
    node = a_virtual()
    taint = msgspec.structs.replace(node.spec.taints[0], effect="PreferNoSchedule")
    changed = msgspec.structs.replace(node, spec=msgspec.structs.replace(node.spec, taints=(taint,)))
    [(level, seen)] = not_ok(gate.check, with_node(changed))
    assert (level, "another effect than NoSchedule" in seen) == (Level.FAIL, True)


def test_room_that_was_granted_may_be_all_of_it() -> None:
    node = a_virtual(cpu="1", memory="1Gi", pods="1", annotations={names.GRANTS: written((GRANT,))})
    assert not_ok(gate.check, with_node(node)) == []


def test_a_cluster_without_zones_has_none_to_compare() -> None:
    assert not_ok(gate.check, a_look(nodes=(a_node(), a_virtual()))) == []


def test_a_node_whose_api_answers_is_well() -> None:
    assert not_ok(node_api.check, a_look(healths={"fargate": "ok"})) == []


@pytest.mark.parametrize(
    ("why", "level"),
    [
        pytest.param("503 dial tcp 10.0.0.7:10250: i/o timeout", Level.FAIL, id="unreachable"),
        pytest.param("403 Forbidden (user=kube-apiserver)", Level.FAIL, id="forbidden"),
        pytest.param('403 User "me" cannot get resource "nodes/proxy"', Level.SKIP, id="no-leave"),
        pytest.param("GET /x: 404 not found", Level.SKIP, id="no-such-way"),
        pytest.param("GET /x: 400 address not allowed", Level.SKIP, id="loopback"),
    ],
)
def test_a_node_whose_api_does_not_answer_is_told(why: str, level: Level) -> None:
    [(found, seen)] = not_ok(node_api.check, a_look(healths={"fargate": Unread(why)}))
    assert (found, why in seen) == (level, True)


@pytest.mark.parametrize(
    ("server", "host", "said"),
    [
        pytest.param("v1.36.2", a_host(), 1, id="undeclared"),
        pytest.param("v1.36.2", a_host(node_api.WEBSOCKETS), 0, id="declared"),
        pytest.param("v1.35.0", a_host(), 0, id="before-it-was-asked-for"),
    ],
)
def test_what_the_node_does_not_declare_is_told(server: str, host: Host, said: int) -> None:
    assert len(not_ok(node_api.check, a_look(server=server, hosts=(host,)))) == said
