from typing import Any

import pytest

from app.fargate.shares import Room, room_of, shares_of
from app.fargate.sizes import Size
from app.model.pod import Pod
from app.model.quantity import GIB
from tests.builders import a_container, a_pod


def size_for(pod: Pod) -> Size:
    room = room_of(pod, volumes=0)
    assert isinstance(room, Room)
    return room.size


def asking(name: str = "main", *, requests: Any = None, limits: Any = None, **fields: Any) -> dict[str, Any]:
    resources = {"requests": requests or {}, "limits": limits or {}}
    return a_container(name, resources=resources, **fields)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"containers": [a_container()]}, (256, 512), id="nothing-asked"),
        pytest.param(
            {"containers": [a_container(cpu="100m")], "initContainers": [a_container("i", cpu="2")]},
            (2048, 4096),
            id="a-large-init-container",
        ),
        pytest.param(
            {
                "containers": [a_container(memory="512Mi")],
                "initContainers": [a_container("s", memory="512Mi", restartPolicy="Always")],
            },
            (256, 1024),
            id="a-sidecar-adds-up",
        ),
        pytest.param(
            {"containers": [a_container(memory="500Mi")], "overhead": {"memory": "100Mi", "cpu": "250m"}},
            (256, 1024),
            id="overhead",
        ),
        pytest.param(
            {"containers": [a_container()], "resources": {"requests": {"cpu": "1", "memory": "3Gi"}}},
            (1024, 3072),
            id="asked-for-the-pod",
        ),
        pytest.param(
            {
                "containers": [
                    a_container("a", cpu="241m"),
                    *(a_container(f"c{n}", cpu="1m") for n in range(9)),
                ]
            },
            (512, 1024),
            id="ecs-rounds-each-container-up",
        ),
        pytest.param(
            {"containers": [a_container(cpu="250m", memory="512Mi")]}, (256, 512), id="exactly-the-least"
        ),
        pytest.param(
            {"containers": [a_container(cpu="32", memory="244Gi")]}, (32768, 249856), id="the-largest"
        ),
    ],
)
def test_the_size_is_the_cheapest_that_covers_the_pod(
    spec: dict[str, Any], expected: tuple[int, int]
) -> None:
    assert size_for(a_pod(**spec)) == Size(*expected)


def test_a_pod_larger_than_any_size_is_refused() -> None:
    answer = room_of(a_pod(cpu="33"), volumes=0)
    assert isinstance(answer, tuple)
    assert [each.code for each in answer] == ["TooLarge"]


@pytest.mark.parametrize(
    ("request_", "volumes", "expected"),
    [
        pytest.param("1Gi", 0, None, id="default"),
        pytest.param("40Gi", 0, 40, id="request"),
        pytest.param("1Gi", 30 * GIB, 30, id="volumes"),
        pytest.param("40Gi", 30 * GIB, 40, id="the-request-counts-the-volumes"),
    ],
)
def test_the_disk_holds_what_is_asked_for_and_the_volumes(
    request_: str, volumes: int, expected: int | None
) -> None:
    room = room_of(a_pod(containers=[asking(requests={"ephemeral-storage": request_})]), volumes=volumes)
    assert isinstance(room, Room)
    assert room.storage == expected


def test_more_disk_than_fargate_has_is_refused() -> None:
    answer = room_of(a_pod(), volumes=201 * GIB)
    assert isinstance(answer, tuple)
    assert [each.code for each in answer] == ["TooMuchEphemeralStorage"]


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        pytest.param(a_container(), {}, id="nothing"),
        pytest.param(a_container(cpu="1m"), {"cpu": 2}, id="least-cpu"),
        pytest.param(a_container(memory="1"), {"memoryReservation": 6}, id="least-memory"),
        pytest.param(asking(limits={"memory": "64Mi"}), {"memory": 64}, id="limit-alone"),
        pytest.param(
            asking(requests={"memory": "0"}, limits={"memory": "8Gi"}),
            {"memory": 512, "memoryReservation": 6},
            id="a-limit-reserves-nothing-by-itself",
        ),
        pytest.param(
            asking(requests={"memory": "64Mi"}, limits={"memory": "8Gi"}),
            {"memory": 512, "memoryReservation": 64},
            id="limit-above-the-task",
        ),
    ],
)
def test_requests_reserve_and_limits_kill(container: dict[str, Any], expected: dict[str, int]) -> None:
    pod = a_pod(containers=[container])
    assert shares_of(pod, size=Size(256, 512))["main"] == expected


def test_an_init_container_keeps_its_limit_and_reserves_next_to_nothing() -> None:
    init = asking("init", requests={"memory": "400Mi"}, limits={"memory": "450Mi"})
    pod = a_pod(containers=[a_container(memory="500Mi")], initContainers=[init])
    assert shares_of(pod, size=Size(256, 512))["init"] == {"memory": 450, "memoryReservation": 6}


def test_init_containers_share_the_cpu_that_the_others_leave() -> None:
    inits = [a_container(f"init-{number}", cpu="200m") for number in range(3)]
    pod = a_pod(containers=[a_container(cpu="50m")], initContainers=inits)
    shares = shares_of(pod, size=Size(256, 512))
    assert [shares[f"init-{number}"]["cpu"] for number in range(3)] == [68, 68, 68]


def test_a_sidecar_reserves_like_a_main_container() -> None:
    sidecar = a_container("side", cpu="250m", memory="100Mi", restartPolicy="Always")
    pod = a_pod(initContainers=[sidecar])
    assert shares_of(pod, size=Size(1024, 2048))["side"] == {"cpu": 256, "memoryReservation": 100}
