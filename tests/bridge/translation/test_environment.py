from typing import Any

import pytest

from app.bridge.translation.environment import Resolved, expand, field_value, resolve
from tests.builders import a_container, a_pod

KNOWN = {"HOST": "db", "PORT": "5432", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        pytest.param("plain", "plain", id="no-reference"),
        pytest.param("$(HOST):$(PORT)", "db:5432", id="two-references"),
        pytest.param("$(UNKNOWN)", "$(UNKNOWN)", id="unknown-stays"),
        pytest.param("$$(HOST)", "$(HOST)", id="escaped"),
        pytest.param("$$$(HOST)", "$db", id="escape-then-reference"),
        pytest.param("$$$$(HOST)", "$$(HOST)", id="two-escapes"),
        pytest.param("$(HOST", "$(HOST", id="unclosed"),
        pytest.param("cost: 5$", "cost: 5$", id="trailing-dollar"),
        pytest.param("$HOST", "$HOST", id="shell-style"),
        pytest.param("a$(EMPTY)b", "ab", id="empty-value"),
        pytest.param("$()", "$()", id="no-name"),
    ],
)
def test_references_expand_as_a_kubelet_expands_them(text: str, expanded: str) -> None:
    assert expand(text, KNOWN) == expanded


def resolved(**fields: Any) -> Resolved:
    pod = a_pod(containers=[a_container(**fields)])
    answer = resolve(pod.spec.containers[0], pod=pod, field="spec.containers[0]")
    assert isinstance(answer, Resolved)
    return answer


def test_a_variable_sees_only_those_before_it() -> None:
    env = [{"name": "A", "value": "$(B)"}, {"name": "B", "value": "1"}, {"name": "C", "value": "$(B)"}]
    assert resolved(env=env).environment == {"A": "$(B)", "B": "1", "C": "1"}


def test_the_last_of_two_variables_with_one_name_wins() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    assert resolved(env=env).environment == {"A": "2"}


def test_command_and_args_see_the_environment() -> None:
    answer = resolved(env=[{"name": "N", "value": "7"}], command=["run", "$(N)"], args=["--n=$(N)", "$$(N)"])
    assert (answer.command, answer.args) == (("run", "7"), ("--n=7", "$(N)"))


POD = a_pod(
    "web-1",
    uid="u1",
    node="fargate-1a",
    labels={"app": "web"},
    annotations={"a/b": "c"},
    serviceAccountName="sa",
)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("metadata.name", "web-1", id="name"),
        pytest.param("metadata.namespace", "shop", id="namespace"),
        pytest.param("metadata.uid", "u1", id="uid"),
        pytest.param("spec.nodeName", "fargate-1a", id="node"),
        pytest.param("spec.serviceAccountName", "sa", id="service-account"),
        pytest.param("metadata.labels['app']", "web", id="label"),
        pytest.param("metadata.annotations['a/b']", "c", id="annotation"),
        pytest.param("metadata.labels['none']", "", id="absent-label-is-empty"),
        pytest.param("status.podIP", None, id="pod-ip-is-unknown"),
    ],
)
def test_the_downward_api_knows_the_fields_that_exist_before_launch(path: str, value: str | None) -> None:
    assert field_value(POD, path) == value


def test_every_variable_that_cannot_be_known_is_named() -> None:
    env = [
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    pod = a_pod(containers=[a_container(env=env)])
    reasons = resolve(pod.spec.containers[0], pod=pod, field="spec.containers[0]")
    assert not isinstance(reasons, Resolved)
    assert [reason.code for reason in reasons] == ["FieldUnknownBeforeLaunch", "EnvironmentSource"]


def test_a_value_made_of_the_pods_own_is_its_own_too() -> None:
    name = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    plain, made = {"name": "PLAIN", "value": "x"}, {"name": "MADE", "value": "$(PLAIN)-$(NAME)"}
    words = resolved(env=[name, plain, made], command=["run", "$(PLAIN)"])
    assert words.own == {"NAME", "MADE"}
    assert not words.own_command


def test_a_command_with_the_pods_own_value_is_its_own() -> None:
    name = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    assert resolved(env=[name], args=["--as=$(NAME)"]).own_command
