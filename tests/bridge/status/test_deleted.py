"""A pod that is being deleted, and whose task still runs."""

from typing import Any

import msgspec
import pytest

from app.bridge.status.observed import Health
from app.bridge.status.pod_status import View, status_of
from app.model.pod import Pod
from app.model.task import Task
from tests.builders import NOON, a_pod, a_task

POD = a_pod("web-1", uid="u1")
DELETED = a_pod("web-1", uid="u1", metadata={"deletionTimestamp": NOON.isoformat()})
RUNNING = a_task(POD, started_at=NOON, ip="10.1.0.7")
STOPPING = msgspec.structs.replace(RUNNING, desired_status="STOPPED")


def status(pod: Pod, task: Task, **health: Health) -> dict[str, Any]:
    return status_of(pod, View(task=task, now=NOON, node_ip="10.0.0.9", health=health))


def ready(found: dict[str, Any]) -> tuple[bool, str]:
    [said] = [each["status"] for each in found["conditions"] if each["type"] == "Ready"]
    return found["containerStatuses"][0]["ready"], said


def after(pod: Pod, **health: Health) -> Pod:
    kept = {key: value for key, value in status(pod, RUNNING, **health).items() if value is not None}
    return msgspec.structs.replace(DELETED, status=msgspec.convert(kept, type(pod.status)))


def test_it_stays_ready_while_its_container_runs() -> None:
    assert ready(status(after(POD), STOPPING)) == (True, "True")


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(after(POD, main=Health(ready=False)), id="its-probe-failed"),
        pytest.param(DELETED, id="nothing-was-told-of-it"),
    ],
)
def test_it_does_not_get_ready_when_nobody_probes_it_any_more(pod: Pod) -> None:
    assert ready(status(pod, STOPPING)) == (False, "False")


def test_it_is_not_ready_once_its_container_has_ended() -> None:
    over = a_task(POD, last_status="STOPPED", exit_code=143, started_at=NOON, stopped_at=NOON)
    assert ready(status(after(POD), over)) == (False, "False")
