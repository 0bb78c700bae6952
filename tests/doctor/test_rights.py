"""The list of rights against the requests that the adapters make, and against the questions made of it."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec
import pytest

from app.doctor import rbac
from app.doctor.finding import Level
from app.doctor.installation import setup_of
from app.doctor.rights import RIGHTS, Program, Question, Right, questions
from app.doctor.seen import Policy, Unread
from app.kube.authorities import Authorities
from app.kube.certificates import Certificates
from app.kube.connection import Connection
from app.kube.evictions import Evictions
from app.kube.inspection import Inspection
from app.kube.leadership import Leadership
from app.kube.placeholders import Placeholders
from app.kube.reviews import Reviews
from app.kube.tls_secrets import TlsSecrets
from app.kube.webhook_bundles import WebhookBundles
from app.model.meta import OwnerReference
from app.model.names import GATE_LEASE
from app.model.objects import Secret
from app.model.webhook_configuration import MutatingWebhookConfiguration
from app.ports.access import Caller, NodeAccess
from app.ports.certificates import Wanted
from app.ports.failures import Conflict, NotFound
from app.wiring.kubernetes import Parts, parts
from tests.builders import a_pod, a_virtual_node
from tests.doctor.look import a_look, a_namespace, a_virtual, a_workload, not_ok, told
from tests.doctor.recording import Act, Recorder, act_of
from tests.fakes import VirtualClock

POD = a_pod("web", namespace="shop")
PLACEHOLDER = a_pod("placeholder", namespace="spillway")
NODE = {"metadata": {"name": "fargate"}}
LEASE = b'{"metadata": {"name": "spillway-gate"}, "spec": {}}'
CLAIM = b'{"metadata": {"uid": "u"}, "spec": {"volumeName": "pv"}, "status": {"phase": "Bound"}}'
CSR = b'{"metadata": {"name": "x"}, "spec": {}, "status": {}}'


def adapters(recorder: Recorder) -> Parts:
    return parts(cast("Connection", recorder), clock=VirtualClock(), component="test")


def watched(found: Any) -> list[Act]:
    """Whoever watches lists first."""
    wanted = getattr(found, "_wanted", None)
    listed = act_of("GET", wanted.path, wanted.query) if wanted else act_of("GET", found._path, {})
    return [listed, listed._replace(verb="watch")]


async def repeated(work: Callable[[Parts], Any], recorder: Recorder) -> list[Act]:
    """The same thing twice: the second time counts the first one up."""
    made = adapters(recorder)
    await work(made)
    return await recorder.during(work(made))


def leading(recorder: Recorder) -> Any:
    return Leadership(
        cast("Connection", recorder),
        namespace="spillway",
        name=GATE_LEASE,
        identity="me",
        clock=VirtualClock(),
    )._attempt()


def controller(version: str, kind: str) -> Any:
    owner = OwnerReference(api_version=version, kind=kind, name="web", uid="u")
    return lambda recorder: Evictions(recorder).replicas("shop", owner)


def event(recorder: Recorder) -> Any:
    return repeated(lambda made: made.events.record(POD, reason="R", message="m"), recorder)


async def calls(*works: tuple[Recorder, Callable[[Any], Any]]) -> list[Act]:
    """What each of these asks."""
    for recorder, work in works:
        await recorder.during(work(recorder))
    return [act for recorder, _ in works for act in recorder.acts]


async def extenders() -> list[Act]:
    made = adapters(Recorder())
    watches = (
        made.watch_pods(),
        made.watch_nodes(),
        made.watch_namespaces(),
        made.watch_node_claims(),
        made.watch_autoscaler_status(),
    )
    asked = await calls(
        (Recorder(), lambda to: adapters(to).nodes.get("fargate")),
        (Recorder(), lambda to: adapters(to).nodes.apply_status(NODE, manager="m")),
        (Recorder(), lambda to: adapters(to).pods.tolerate(POD, {})),
        (Recorder(POST=b"{}"), event),
        (Recorder(GET=NotFound("no")), leading),
        (Recorder(GET=LEASE), leading),
        (Recorder(), lambda to: Evictions(to).evict(POD)),
        (Recorder(), controller("apps/v1", "ReplicaSet")),
        (Recorder(), controller("apps/v1", "StatefulSet")),
        (Recorder(), controller("v1", "ReplicationController")),
        (Recorder(), controller("batch/v1", "Job")),
        (Recorder(), lambda to: Placeholders(to).create({"metadata": {"namespace": "spillway"}})),
        (Recorder(), lambda to: Placeholders(to).remove(PLACEHOLDER)),
        (Recorder(POST=Conflict("there")), lambda to: Placeholders(to).ensure_priority("low", value=-1)),
        (Recorder(), lambda to: Inspection(to).lease("kube-node-lease", "fargate")),
        (Recorder(), lambda to: Inspection(to).pod("shop", "web")),
        (Recorder(), lambda to: Inspection(to).events("shop", "u")),
    )
    return [*asked, *(act for each in watches for act in watched(each))]


async def bridges() -> list[Act]:
    made = adapters(Recorder())
    watches = (
        made.watch_pods(node="fargate"),
        made.watch_namespaces(),
        made.watch_services(),
        made.watch_network_policies(),
    )
    asked = await calls(
        (Recorder(), Connection.cluster_uid),
        (Recorder(), lambda to: adapters(to).nodes.get("fargate")),
        (Recorder(), lambda to: adapters(to).nodes.create(NODE)),
        (Recorder(), lambda to: adapters(to).nodes.apply(NODE, manager="m")),
        (Recorder(), lambda to: adapters(to).nodes.apply_status(NODE, manager="m")),
        (Recorder(), lambda to: adapters(to).pods.get("shop", "web")),
        (Recorder(), lambda to: adapters(to).pods.amend(POD, annotations={})),
        (Recorder(), lambda to: adapters(to).pods.set_status(POD, {})),
        (Recorder(), lambda to: adapters(to).pods.remove(POD)),
        (Recorder(), lambda to: adapters(to).sources.pod_spec(POD)),
        (Recorder(), lambda to: adapters(to).sources.config_map("shop", "x")),
        (Recorder(), lambda to: adapters(to).sources.secret("shop", "x")),
        (Recorder(), lambda to: adapters(to).sources.account("shop", "x")),
        (Recorder(), lambda to: adapters(to).sources.token(POD, audience="a", seconds=600)),
        (Recorder(GET=CLAIM), lambda to: adapters(to).sources.volume("shop", "x")),
        (Recorder(POST=b"{}"), event),
        (Recorder(), lambda to: adapters(to).leases.read("spillway", GATE_LEASE)),
        (Recorder(), lambda to: adapters(to).leases.read("kube-node-lease", "fargate")),
        (
            Recorder(PATCH=NotFound("no")),
            lambda to: adapters(to).leases.renew(
                "kube-node-lease", "fargate", holder="b", seconds=40, owner=a_virtual_node("fargate")
            ),
        ),
        (Recorder(), lambda to: Authorities(to).pem()),
        (Recorder(), lambda to: Reviews(to).caller("token")),
        (
            Recorder(),
            lambda to: Reviews(to).answer(
                Caller(name="x"), NodeAccess(node="fargate", verb="get", subresource="proxy")
            ),
        ),
        (Recorder(), lambda to: Certificates(to).create(Wanted(csr="", signer="s", usages=()))),
        (Recorder(GET=CSR), lambda to: Certificates(to).approve("x", reason="r")),
    )
    # The API server asks for it by itself, of whoever writes an approval.
    approves = Act("approve", "certificates.k8s.io", "signers", "", "s")
    return [*asked, approves, *(act for each in watches for act in watched(each))]


async def issuers() -> list[Act]:
    secret = msgspec.convert({"metadata": {"name": "spillway-tls"}}, Secret)
    authority = msgspec.convert({"metadata": {"name": "spillway-ca"}}, Secret)
    return await calls(
        (Recorder(), lambda to: TlsSecrets(to, namespace="spillway").read("spillway-tls")),
        (Recorder(), lambda to: TlsSecrets(to, namespace="spillway").read("spillway-ca")),
        (Recorder(), lambda to: TlsSecrets(to, namespace="spillway").create("x", {}, annotations={})),
        (Recorder(), lambda to: TlsSecrets(to, namespace="spillway").change(secret, {}, annotations={})),
        (Recorder(), lambda to: TlsSecrets(to, namespace="spillway").change(authority, {}, annotations={})),
        (Recorder(), lambda to: WebhookBundles(to, name="spillway").read()),
        (
            Recorder(),
            lambda to: WebhookBundles(to, name="spillway").inject(MutatingWebhookConfiguration(), b""),
        ),
    )


def covers(question: Question, act: Act) -> bool:
    """Whether the answer to the question says that this may be done; pods overflow in `shop` alone."""
    return (
        (question.verb, question.group, question.resource) == (act.verb, act.group, act.resource)
        and question.namespace in {"", act.namespace}
        and question.name in {"", act.name}
    )


def everything() -> list[tuple[Program, Question]]:
    """All that could be asked of an installation with all its settings on."""
    variables: Any = {
        "PLACEHOLDER_PRIORITY_CLASS": "low",
        "KUBELET_CERT_SIGNER": "s",
        "KUBELET_CERT_APPROVE": "true",
        "TLS_SECRET": "spillway-tls",
        "CA_SECRET": "spillway-ca",
        "WEBHOOK_CONFIGURATION": "spillway",
    }
    setup = setup_of(
        [a_workload(each, **variables) for each in ("extender", "bridge", "issuer")],
        namespace="spillway",
        policy=Policy(actuator="toleration", handover=True),
        nodes=(a_virtual(),),
        namespaces=(a_namespace("shop", overflow="enabled"),),
    )
    return list(questions(msgspec.structs.replace(setup, when=setup.when | {"insight"})))


def unclaimed(program: Program, acts: Iterable[Act]) -> list[Act]:
    asked = [question for whose, question in everything() if whose == program]
    return [act for act in acts if not any(covers(question, act) for question in asked)]


def unused(program: Program, acts: list[Act]) -> list[str]:
    asked = [question for whose, question in everything() if whose == program]
    return [str(question) for question in asked if not any(covers(question, act) for act in acts)]


PROGRAMS = pytest.mark.parametrize(
    ("program", "acting"),
    [
        pytest.param("extender", extenders, id="extender"),
        pytest.param("bridge", bridges, id="bridge"),
        pytest.param("issuer", issuers, id="issuer"),
    ],
)


@PROGRAMS
async def test_whatever_an_adapter_asks_is_on_the_list(program: Program, acting: Any) -> None:
    assert unclaimed(program, await acting()) == []


@PROGRAMS
async def test_nothing_is_on_the_list_that_no_adapter_asks(program: Program, acting: Any) -> None:
    assert unused(program, await acting()) == []


def test_every_right_is_asked_for_where_all_settings_are_on() -> None:
    asked = {(whose, each.group, each.resource, each.verb) for whose, each in everything()}
    assert {
        (each.program, each.group, each.resource, verb) for each in RIGHTS for verb in each.verbs
    } == asked


def test_rights_of_settings_that_are_off_are_not_asked_for() -> None:
    seen = a_look()
    asked = {(each.resource, each.verb) for _, each in questions(seen.setup)}
    assert ("pods", "patch") in asked
    assert ("priorityclasses", "create") not in asked
    assert ("signers", "approve") not in asked


def test_what_pods_refer_to_is_asked_for_where_pods_may_overflow() -> None:
    asked = [each for _, each in questions(a_look().setup) if each.resource == "secrets"]
    assert ("shop", "get") in {(each.namespace, each.verb) for each in asked}
    assert "" not in {each.namespace for each in asked}


def test_a_right_whose_name_nobody_knows_is_not_asked_for() -> None:
    right = Right("bridge", "certificates.k8s.io", "signers", ("approve",), name="{signer}")
    assert list(questions(a_look().setup, rights=(right,))) == []


def test_each_program_that_may_do_its_work_has_a_line() -> None:
    assert not_ok(rbac.check, a_look()) == []
    assert [each.seen.split()[-1] for each in rbac.check(a_look())] == ["needs"] * 3


def test_a_right_that_is_missing_is_named_with_the_command_that_asks_for_it() -> None:
    answers = {
        key: (key[1].resource, key[1].verb) != ("nodes/status", "patch") or key[0] != "bridge"
        for key in questions(a_look().setup)
    }
    text = told(rbac.check, a_look(answers=answers))
    assert "FAIL system:serviceaccount:spillway:spillway-bridge may not: patch nodes/status fargate" in text
    assert (
        "kubectl auth can-i patch nodes/fargate --subresource=status -A "
        "--as=system:serviceaccount:spillway:spillway-bridge"
    ) in text


def test_many_missing_rights_are_counted() -> None:
    [found, *_] = rbac.check(a_look(answers=dict.fromkeys(questions(a_look().setup), False)))
    assert found.seen.endswith(" more")


def test_without_leave_to_ask_it_is_skipped() -> None:
    [(level, seen)] = not_ok(rbac.check, a_look(answers=Unread("403")))
    assert (level, seen.endswith("403")) == (Level.SKIP, True)


def test_a_namespace_that_the_charts_list_leaves_out_is_named_with_the_list() -> None:
    spaces = (a_namespace("shop", overflow="enabled"), a_namespace("ci2", overflow="enabled"))
    workloads = tuple(a_workload(each) for each in ("extender", "bridge"))
    setup = setup_of(
        workloads, namespace="spillway", policy=Policy(), nodes=(a_virtual(),), namespaces=spaces
    )
    answers = {each: each[1].namespace != "ci2" for each in questions(setup)}
    [_, bridge] = rbac.check(a_look(setup=setup, answers=answers))
    assert bridge.level == Level.FAIL
    assert "helm upgrade with rbac.overflowNamespaces that name ci2, too, or none" in bridge.mend
