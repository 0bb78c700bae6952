"""What holds for every pod, whatever it asks for; the embedded ECS is the judge of what ECS takes."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import settings as bounded

from app.bridge.translation.material import Material
from app.bridge.translation.needs import needs_of
from app.bridge.translation.overrides import OVERRIDES_LIMIT, length
from app.bridge.translation.task_spec import Translated, translate
from app.local.fargate.definitions import definition_rules
from app.local.fargate.ecs import launch_rules
from app.local.fargate.protocol.wire import Reader
from app.model.pod import Pod
from app.model.quantity import MIB
from app.model.requests import requests_of
from tests.bridge.translation.builders import settings
from tests.bridge.translation.strategies import OWNERS, Body, material_for, replica, specs
from tests.builders import identity_of

SETTINGS = settings(cluster_domain="cluster.local", kubernetes_host="api.example")

Key = TypeVar("Key")
Value = TypeVar("Value")

ECS = "AmazonEC2ContainerServiceV20141113"


def answer_for(pod: Pod, *, material: Material) -> object:
    return translate(pod, material=material, config=SETTINGS, identity=identity_of(pod), attempt=1)


def translated(pod: Pod, *, number: int = 1) -> Translated:
    answer = answer_for(pod, material=material_for(number))
    assume(isinstance(answer, Translated))
    assert isinstance(answer, Translated)
    return answer


@pytest.mark.parametrize("owner", OWNERS)
@given(spec=specs())
@bounded(max_examples=40)
def test_replicas_share_a_definition(owner: str, spec: Body) -> None:
    one = translated(replica(spec, owner=owner, number=1), number=1)
    two = translated(replica(spec, owner=owner, number=2), number=2)
    assert one.launch.definition == two.launch.definition
    assert one.launch.overrides != two.launch.overrides


@given(spec=specs())
@bounded(max_examples=40)
def test_translating_twice_makes_the_same_call(spec: Body) -> None:
    pod = replica(spec, owner="ReplicaSet", number=1)
    assert translated(pod) == translated(msgspec.convert(msgspec.to_builtins(pod), Pod))


@given(spec=specs())
@bounded(max_examples=60)
def test_what_a_pod_needs_is_enough_to_translate_it(spec: Body) -> None:
    pod = replica(spec, owner="ReplicaSet", number=1)
    needs, everything = needs_of(pod, settings=SETTINGS), material_for(1)
    found = msgspec.structs.replace(
        everything,
        config_maps=chosen(everything.config_maps, needs.config_maps),
        secrets=chosen(everything.secrets, needs.secrets),
        images=chosen(everything.images, needs.images),
        tokens=chosen(everything.tokens, needs.tokens),
    )
    assert type(answer_for(pod, material=found)) is type(answer_for(pod, material=everything))


def chosen(found: Mapping[Key, Value], wanted: Collection[Key]) -> dict[Key, Value]:
    return {key: value for key, value in found.items() if key in wanted}


@given(spec=specs())
@bounded(max_examples=100)
def test_the_size_covers_the_request(spec: Body) -> None:
    pod = replica(spec, owner="ReplicaSet", number=1)
    body, asked = translated(pod).launch.definition.body, requests_of(pod)
    assert int(body["cpu"]) * 1000 >= asked.cpu_milli * 1024
    assert int(body["memory"]) * MIB >= asked.memory


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@given(spec=specs())
@bounded(max_examples=100)
def test_ecs_takes_the_definition_and_the_overrides(reader: Reader, spec: Body) -> None:
    launch = translated(replica(spec, owner="ReplicaSet", number=1)).launch
    registered = {"family": launch.definition.family, **launch.definition.body}
    called = {"taskDefinition": launch.definition.family, "overrides": launch.overrides}
    reader.request(f"{ECS}.RegisterTaskDefinition", msgspec.json.encode(registered))
    reader.request(f"{ECS}.RunTask", msgspec.json.encode(called))
    definition_rules.require_runnable(registered, definition_rules.containers_of(registered))
    names = [each["name"] for each in launch.definition.body["containerDefinitions"]]
    launch_rules.require_runnable({"overrides": launch.overrides}, containers=names)
    assert length(launch.overrides) <= OVERRIDES_LIMIT


@given(spec=specs())
@bounded(max_examples=60)
def test_no_variable_comes_from_a_secret_and_from_elsewhere(spec: Body) -> None:
    launch = translated(replica(spec, owner="ReplicaSet", number=1)).launch
    told = {each["name"]: names_in(each, "environment") for each in launch.overrides["containerOverrides"]}
    for container in launch.definition.body["containerDefinitions"]:
        others = names_in(container, "environment") | told.get(container["name"], set())
        assert not names_in(container, "secrets") & others


def names_in(container: dict[str, Any], key: str) -> set[str]:
    return {each["name"] for each in container.get(key, ())}
