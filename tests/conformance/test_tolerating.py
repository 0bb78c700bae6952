"""A toleration that is added to a pending pod, through the extender's own adapter."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from app.kube.connection import connect
from app.kube.pods import Pods
from app.model.actuator import OUR_TOLERATION, tolerates_virtual_nodes
from app.model.pod import Pod
from app.ports.failures import Conflict, NotFound, Refused
from tests.conformance.servers import ApiServer, Space, WallClock

MERGE_PATCH = "application/merge-patch+json"
THEIRS = {"key": "team", "value": "shop", "effect": "NoSchedule"}
"""Without an operator, which means Equal and is stored as nothing."""


def asked(api: ApiServer, ask: Callable[[Pods], Coroutine[Any, Any, Pod]]) -> Pod:
    async def run() -> Pod:
        connection = await connect(kubeconfig=str(api.kubeconfig), clock=WallClock(), environ={})
        try:
            return await ask(Pods(connection))
        finally:
            await connection.close()

    return asyncio.run(run())


def a_pending_pod(space: Space, **spec: Any) -> Pod:
    return msgspec.convert(space.pod(**spec), Pod)


def stored_tolerations(space: Space, pod: Pod) -> list[dict[str, Any]]:
    found = space.api.get(f"{space.pods}/{pod.metadata.name}").json()["spec"]["tolerations"]
    return [each for each in found if not each["key"].startswith("node.kubernetes.io/")]


def test_a_toleration_comes_behind_those_that_stand_there_as_they_are(space: Space) -> None:
    pod = a_pending_pod(space, tolerations=[THEIRS])
    assert tolerates_virtual_nodes(asked(space.api, lambda pods: pods.tolerate(pod, OUR_TOLERATION)))
    assert stored_tolerations(space, pod) == [THEIRS, OUR_TOLERATION]


def test_a_toleration_that_another_added_meanwhile_is_a_conflict_and_stays(space: Space) -> None:
    pod = a_pending_pod(space)
    path = f"{space.pods}/{pod.metadata.name}"
    theirs = [*space.api.get(path).json()["spec"]["tolerations"], THEIRS]
    assert space.api.patch(path, {"spec": {"tolerations": theirs}}, MERGE_PATCH).status_code == 200

    with pytest.raises(Conflict):
        asked(space.api, lambda pods: pods.tolerate(pod, OUR_TOLERATION))
    newest = asked(space.api, lambda pods: pods.get(space.name, pod.metadata.name))
    asked(space.api, lambda pods: pods.tolerate(newest, OUR_TOLERATION))

    assert stored_tolerations(space, pod) == [THEIRS, OUR_TOLERATION]


def test_the_same_addition_twice_adds_once(space: Space) -> None:
    pod = a_pending_pod(space)
    asked(space.api, lambda pods: pods.tolerate(pod, OUR_TOLERATION))
    with pytest.raises(Conflict):
        asked(space.api, lambda pods: pods.tolerate(pod, OUR_TOLERATION))
    assert stored_tolerations(space, pod) == [OUR_TOLERATION]


def test_a_pod_that_was_made_anew_under_the_name_is_a_conflict(space: Space) -> None:
    old = a_pending_pod(space)
    space.api.delete(f"{space.pods}/{old.metadata.name}")
    new = a_pending_pod(space)
    with pytest.raises(Conflict):
        asked(space.api, lambda pods: pods.tolerate(old, OUR_TOLERATION))
    versioned = msgspec.structs.replace(old.metadata, resource_version=new.metadata.resource_version)
    with pytest.raises(Conflict):
        asked(
            space.api,
            lambda pods: pods.tolerate(msgspec.structs.replace(old, metadata=versioned), OUR_TOLERATION),
        )
    assert stored_tolerations(space, new) == []


def test_a_pod_that_is_gone_is_not_found(space: Space) -> None:
    pod = a_pending_pod(space)
    space.api.delete(f"{space.pods}/{pod.metadata.name}")
    with pytest.raises(NotFound):
        asked(space.api, lambda pods: pods.tolerate(pod, OUR_TOLERATION))


def test_a_whole_list_without_anothers_toleration_is_refused(space: Space) -> None:
    pod = a_pending_pod(space, tolerations=[THEIRS])
    with pytest.raises(Refused):
        asked(space.api, lambda pods: pods.amend(pod, annotations={}, tolerations=[dict(OUR_TOLERATION)]))
    assert stored_tolerations(space, pod) == [THEIRS]
