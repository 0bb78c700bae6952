"""`kubectl debug` on an overflow pod: its container waits, and says why."""

from app.bridge.status import ephemeral
from app.bridge.status.pod_status import View, same, status_of
from app.model.pod import Pod
from tests.bridge.status.test_pod_status import NODE_IP, RUNNING, with_status
from tests.builders import NOON, a_pod

DEBUGGER = {"name": "debugger-x", "image": "busybox", "targetContainerName": "main"}
DEBUGGED = a_pod("web-1", uid="u1", ephemeralContainers=[DEBUGGER])


def status(pod: Pod) -> dict[str, object]:
    return status_of(pod, View(task=RUNNING, now=NOON, node_ip=NODE_IP))


def test_an_ephemeral_container_waits_with_its_reason_and_what_to_do_instead() -> None:
    (found,) = ephemeral.statuses(DEBUGGED)
    assert (found["name"], found["image"], found["ready"]) == ("debugger-x", "busybox", False)
    waiting = found["state"]["waiting"]
    assert waiting["reason"] == "EphemeralContainersUnsupported"
    assert "use kubectl exec" in waiting["message"]


def test_the_pods_status_tells_of_it_once() -> None:
    first = status(DEBUGGED)
    assert first["ephemeralContainerStatuses"] == ephemeral.statuses(DEBUGGED)
    assert not same(first, a_pod("web-1", ephemeralContainers=[DEBUGGER]))
    assert same(first, with_status(DEBUGGED, first))


def test_without_one_nothing_is_said_of_them() -> None:
    assert "ephemeralContainerStatuses" not in status(a_pod("web-1", uid="u1"))


def test_its_event_comes_until_the_status_tells_of_it() -> None:
    assert [each.split(":")[0] for each in ephemeral.news(DEBUGGED)] == ["ephemeral container debugger-x"]
    assert list(ephemeral.news(with_status(DEBUGGED, status(DEBUGGED)))) == []
