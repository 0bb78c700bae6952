"""The roles of each account are what its program asks for: no right is missing, and none is more."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, get_args

import msgspec
import pytest
import yaml

from app.doctor.installation import setup_of
from app.doctor.rights import Program, Setup, questions
from app.doctor.seen import Policy
from app.drain.standing import COUNTED
from app.kube.connection import Connection
from app.kube.departures import Departures, Standing
from app.kube.evictions import Evictions
from app.kube.examination import Examination
from app.kube.inspection import Inspection
from app.kube.placeholders import DESCRIPTION
from app.model.installed import Workload
from app.model.meta import OwnerReference
from app.model.names import GATE_LEASE
from app.model.webhook_configuration import ServiceReference
from app.ports.failures import NotFound
from tests.builders import a_pod, a_virtual_node
from tests.chart.grants import Grant, grants
from tests.chart.rendering import (
    CHART,
    NAMES,
    Json,
    combination,
    environment,
    is_hook,
    merged,
    one,
    rendered,
    workloads,
)
from tests.doctor.recording import Recorder
from tests.fakes import VirtualClock

KINDS = {"Deployment", "StatefulSet"}
PROGRAMS: tuple[Program, ...] = get_args(Program)
WITH_ROLES = [name for name in NAMES if name != "given-accounts"]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("name", WITH_ROLES)
def test_a_program_has_the_rights_that_it_needs_and_no_others(
    combinations: Mapping[str, tuple[Json, ...]], name: str, program: Program
) -> None:
    made = of_programs(combinations[name])
    assert grants(made, f"spillway-{program}") - BESIDES == needed(made, values_of(name), program)


BESIDES = {
    Grant(verb, "", "configmaps", "kube-system", "extension-apiserver-authentication")
    for verb in ("list", "watch")
}
"""What Kubernetes' own role of that name lets its readers do, too."""


def test_every_setting_that_takes_rights_is_on_in_some_combination(
    combinations: Mapping[str, tuple[Json, ...]],
) -> None:
    on = {when for name in WITH_ROLES for when in setup(combinations[name], values_of(name)).when}
    assert on == {"toleration", "return-home", "handover", "signer", "approval"}


def test_no_rights_of_the_way_home_where_nobody_goes_home() -> None:
    values = {"extender": {"settings": {"returnHome": False}}}
    made = of_programs(rendered(values))
    whole = merged(values_of("default"), values)
    assert grants(made, "spillway-extender") == needed(made, whole, "extender")
    assert "pods/eviction" not in {each.resource for each in grants(made, "spillway-extender")}


def test_the_webhook_has_none(combinations: Mapping[str, tuple[Json, ...]]) -> None:
    assert [name for name in NAMES if grants(combinations[name], "spillway-webhook")] == []


def of_programs(made: tuple[Json, ...]) -> tuple[Json, ...]:
    """Without what an uninstall or a test takes."""
    return tuple(each for each in made if not is_of_drain(each) and not is_hook(each))


def is_of_drain(each: Json) -> bool:
    return bool(each["metadata"]["labels"]["app.kubernetes.io/component"] == "drain")


def values_of(name: str) -> Json:
    return merged(yaml.safe_load((CHART / "values.yaml").read_text()), combination(name))


def setup(made: tuple[Json, ...], values: Json) -> Setup:
    """What `spillway doctor` takes the release for."""
    extender = values["extender"]["settings"]
    nodes = [each["name"] for each in values["bridge"]["nodes"]] or [values["bridge"]["settings"]["nodeName"]]
    return setup_of(
        [msgspec.convert(each, Workload) for each in workloads(made) if each["kind"] in KINDS],
        namespace="spillway",
        policy=Policy(
            actuator=values["actuator"], return_home=extender["returnHome"], handover=extender["handover"]
        ),
        nodes=[a_virtual_node(name) for name in nodes if values["bridge"]["enabled"]],
        namespaces=(),
    )


def needed(made: tuple[Json, ...], values: Json, program: Program) -> set[Grant]:
    """What app/doctor/rights.py says, for this release."""
    found = setup(made, values)
    others = tuple(values["extender"]["virtualNodes"]) if program == "extender" else ()
    found = msgspec.structs.replace(
        found,
        when=found.when | {"insight"},
        nodes=(*found.nodes, *others),
        overflow=tuple(values["rbac"]["overflowNamespaces"]) or ("",),
    )
    return {
        Grant(each.verb, each.group, each.resource, each.namespace, each.name)
        for whose, each in questions(found)
        if whose == program
    }


POD = a_pod("web", namespace="shop")
PLACEHOLDER = a_pod("placeholder", namespace="spillway")
FARGATE = a_virtual_node("fargate")
VERSIONS = {"ReplicaSet": "apps/v1", "StatefulSet": "apps/v1", "ReplicationController": "v1"}


Work = Callable[[Any], Awaitable[Any]]
Works = tuple[tuple[Mapping[str, Any], Work], ...]


def in_both() -> Works:
    """What the drain asks of the API server, and what removes our objects after it, too."""
    return (
        ({}, Connection.cluster_uid),
        ({}, lambda to: Standing(to, namespace="spillway").nodes()),
        ({}, lambda to: Standing(to, namespace="spillway").pods("fargate")),
        ({}, lambda to: Standing(to, namespace="spillway").placeholders()),
        ({}, lambda to: Standing(to, namespace="spillway").claims()),
        ({}, lambda to: departures(to).close(FARGATE)),
        ({"PATCH": NotFound("no")}, lambda to: departures(to).claim("fargate", holder="d", seconds=9)),
        ({}, lambda to: departures(to).remove_node(FARGATE)),
    )


async def drained() -> set[Grant]:
    """What a drain asks of the API server, its first removal behind it."""
    works: Works = (
        *in_both(),
        ({}, lambda to: Evictions(to).evict(POD)),
        ({}, lambda to: departures(to).delete(POD, at_once=True)),
        *(({}, controller(kind)) for kind in COUNTED),
    )
    return {everywhere(each) for each in await asked_in_all(works)}


async def removed() -> set[Grant]:
    """What the second removal asks, when nobody is there any more."""
    answers = {"GET": msgspec.json.encode({"description": DESCRIPTION})}
    works: Works = (
        *in_both(),
        ({}, lambda to: departures(to).delete(PLACEHOLDER, at_once=True)),
        ({}, lambda to: departures(to).remove_lease("kube-node-lease", "fargate")),
        ({}, lambda to: departures(to).remove_lease("spillway", "spillway-gate")),
        (answers, lambda to: departures(to).remove_priority("spillway-placeholder")),
    )
    found = await asked_in_all(works)
    return {each._replace(name="") if each.name == "placeholder" else each for each in found}


async def asked_in_all(works: Works) -> set[Grant]:
    found = set[Grant]()
    for answers, work in works:
        found |= await asked(answers, work)
    # Pods of everywhere are listed: those of a namespace are among them.
    return {each._replace(namespace="") if each[:3] == ("list", "", "pods") else each for each in found}


async def asked(answers: Mapping[str, Any], work: Work) -> set[Grant]:
    """A path behind a proxy is no matter of RBAC's."""
    acts = await (recorder := Recorder(**answers)).during(work(recorder))
    return {Grant(*act)._replace(resource="/".join(act.resource.split("/")[:2])) for act in acts}


def departures(to: Any) -> Departures:
    return Departures(to, clock=VirtualClock())


def controller(kind: str) -> Any:
    owner = OwnerReference(api_version=VERSIONS[kind], kind=kind, name="web", uid="u")
    return lambda to: Evictions(to).replicas("shop", owner)


def everywhere(each: Grant) -> Grant:
    """Pods and their controllers are in any namespace, and have any name."""
    return each._replace(namespace="", name="") if each.namespace == "shop" else each


HANDING_OVER = {"extender": {"settings": {"handover": True}}}


async def test_a_drain_has_the_rights_that_it_needs_and_no_others(default: tuple[Json, ...]) -> None:
    standing = tuple(each for each in default if is_of_drain(each) and not is_hook(each))
    assert grants(standing, "spillway-bridge") == await drained()


async def test_what_removes_leases_has_the_rights_that_it_needs_and_no_others() -> None:
    assert grants(rendered(HANDING_OVER), "spillway-drain") == await removed()


def test_without_hand_over_nothing_that_drains_touches_no_priority_class(default: tuple[Json, ...]) -> None:
    for account in ("spillway-bridge", "spillway-drain"):
        assert "priorityclasses" not in {each.resource for each in grants(default, account)}


def test_what_drains_knows_the_priority_class_of_the_extender() -> None:
    values = merged(HANDING_OVER, {"extender": {"settings": {"placeholderPriorityClass": "low"}}})
    made = rendered(values)
    job = one(made, "Job/spillway-drain-leases")
    assert environment(job)["SPILLWAY_PLACEHOLDER_PRIORITY_CLASS"] == "low"
    named = {each.name for each in grants(made, "spillway-drain") if each.resource == "priorityclasses"}
    assert named == {"low"}


NODE_LEASE = ("kube-node-lease", "fargate")
SERVICE = ServiceReference(name="spillway-webhook", namespace="spillway", port=443)
CONFIG_MAPS = ("spillway", "kube-system")


async def examined() -> set[Grant]:
    """What the doctor reads, but for what takes more rights: Secrets, pods for trial, the nodes' APIs."""
    found = set[Grant]()
    works: tuple[Work, ...] = (
        lambda to: Inspection(to).nodes(),
        lambda to: Inspection(to).namespaces(),
        lambda to: Inspection(to).pods(),
        lambda to: Inspection(to).node_claims(),
        lambda to: Inspection(to).autoscaler_status(),
        lambda to: Inspection(to).events("default", "uid"),
        lambda to: Inspection(to).lease("spillway", GATE_LEASE),
        lambda to: Inspection(to).lease("spillway", "spillway-scheduler"),
        lambda to: Inspection(to).lease("kube-system", "kube-scheduler"),
        lambda to: Inspection(to).lease(*NODE_LEASE),
        lambda to: Examination(to).webhooks(),
        *(functools.partial(config_maps_of, each) for each in CONFIG_MAPS),
        lambda to: Examination(to).services("kube-system"),
        lambda to: Examination(to).network_policies(),
        lambda to: Examination(to).waiting(),
        lambda to: Examination(to).host("fargate"),
        lambda to: Examination(to).may("user", (), {}),
        lambda to: Examination(to).readiness(SERVICE),
        lambda to: Examination(to).readiness(msgspec.structs.replace(SERVICE, name="spillway-extender")),
    )
    for work in works:
        found |= await asked({}, work)
    return found | await asked({"GET": b"{}"}, lambda to: Examination(to).workloads("spillway"))


def config_maps_of(namespace: str, to: Any) -> Awaitable[Any]:
    return Examination(to).config_maps(namespace)


def of_any_name(each: Grant) -> Grant:
    """Nodes and their Leases are read whatever their names, and ConfigMaps are listed."""
    read = each.resource in {"nodes", "configmaps"} or (each.namespace, each.name) == NODE_LEASE
    return each._replace(name="") if read else each


async def test_the_test_of_a_release_has_the_rights_that_it_needs_and_no_others(
    default: tuple[Json, ...],
) -> None:
    assert grants(default, "spillway-doctor") == {of_any_name(each) for each in await examined()}
