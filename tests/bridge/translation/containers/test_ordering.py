from collections.abc import Sequence
from typing import Any

import pytest

from app.bridge.translation.containers.ordering import dependencies, end_by_themselves
from app.bridge.translation.containers.parts import Part, Role
from app.bridge.translation.containers.security import Rights
from app.bridge.translation.environment.resolved import Resolved
from app.model.pod import Pod
from tests.builders import a_container, a_pod


def parts_of(pod: Pod) -> list[Part]:
    roles: dict[str | None, Role] = {"Always": "sidecar", None: "init"}
    words = Resolved(environment={}, command=(), args=())
    inits = [(each, roles[each.restart_policy]) for each in pod.spec.init_containers]
    mains: list[tuple[Any, Role]] = [(each, "main") for each in pod.spec.containers]
    return [
        Part(container=each, role=role, image="i", words=words, rights=Rights(), command=())
        for each, role in (*inits, *mains)
    ]


def waits(*inits: dict[str, Any], installed: bool = False, kept: bool = False) -> dict[str, Sequence[str]]:
    found = dependencies(parts_of(a_pod(initContainers=list(inits))), installed=installed, kept=kept)
    return {name: [f"{on['containerName']} {on['condition']}" for on in each] for name, each in found.items()}


def sidecar(name: str, **fields: Any) -> dict[str, Any]:
    return a_container(name, restartPolicy="Always", **fields)


def test_without_init_containers_nothing_waits() -> None:
    assert waits() == {"main": []}


def test_init_containers_run_one_by_one() -> None:
    assert waits(a_container("a"), a_container("b")) == {"a": [], "b": ["a SUCCESS"], "main": ["b SUCCESS"]}


def test_what_follows_a_sidecar_waits_for_its_start_and_stops_before_it() -> None:
    assert waits(a_container("a"), sidecar("s"), a_container("b"), sidecar("t")) == {
        "a": [],
        "s": ["a SUCCESS"],
        "b": ["a SUCCESS", "s START"],
        "t": ["b SUCCESS", "s START"],
        "main": ["b SUCCESS", "s START", "t START"],
    }


def test_what_follows_waits_for_an_exec_startup_probe() -> None:
    assert waits(sidecar("s", startupProbe={"exec": {"command": ["x"]}})) == {"s": [], "main": ["s HEALTHY"]}


def test_the_helper_comes_first_and_its_keeper_goes_last() -> None:
    assert waits(a_container("a"), installed=True, kept=True) == {
        "a": ["spillway-install SUCCESS", "spillway-keeper START"],
        "main": ["a SUCCESS", "spillway-keeper START"],
    }


def test_files_alone_need_no_keeper() -> None:
    assert waits(installed=True) == {"main": ["spillway-install SUCCESS"]}


@pytest.mark.parametrize(
    ("policy", "containers", "expected"),
    [
        pytest.param("Never", [a_container("a")], False, id="one"),
        pytest.param("Always", [a_container("a"), a_container("b")], False, id="always"),
        pytest.param("OnFailure", [a_container("a"), a_container("b")], True, id="on-failure"),
        pytest.param("Never", [a_container("a"), a_container("b")], True, id="never"),
        pytest.param(
            "Always", [a_container("a"), a_container("b", restartPolicy="Never")], True, id="one-of-them"
        ),
        pytest.param(
            "Never",
            [a_container("a", restartPolicy="Always"), a_container("b", restartPolicy="Always")],
            False,
            id="none-of-them",
        ),
    ],
)
def test_containers_that_end_by_themselves_cannot_be_essential(
    policy: str, containers: list[dict[str, Any]], *, expected: bool
) -> None:
    assert end_by_themselves(a_pod(containers=containers, restartPolicy=policy)) is expected
