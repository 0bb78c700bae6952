"""Pods for Fargate as people write them, and how to read what became of them."""

import base64
from collections.abc import Sequence
from typing import Any

from app.model.pod import Pod
from tests.system.actors import Actors

ONLY_FARGATE = {"spillway.dev/overflow": "required"}
SLEEP = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); time.sleep(600)"


def python(script: str, name: str = "main", **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "image": "python:3.13-slim",
        "command": ["python3", "-u", "-c", script],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **fields,
    }


async def create(actors: Actors, space: str, name: str, *containers: dict[str, Any], **spec: Any) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": ONLY_FARGATE,
            "annotations": spec.pop("annotations", {}),
        },
        "spec": {
            "containers": list(containers),
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 2,
            "automountServiceAccountToken": False,
            **spec,
        },
    }
    await actors.request("POST", f"/api/v1/namespaces/{space}/pods", body)


async def config(actors: Actors, space: str, kind: str, name: str, data: dict[str, str]) -> None:
    if kind == "secrets":
        data = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    body = {
        "apiVersion": "v1",
        "kind": {"secrets": "Secret", "configmaps": "ConfigMap"}[kind],
        "metadata": {"name": name},
        "data": data,
    }
    await actors.request("POST", f"/api/v1/namespaces/{space}/{kind}", body)


def ended(pods: Sequence[Pod]) -> bool:
    return len(pods) == 1 and pods[0].status.phase in {"Succeeded", "Failed"}


async def end_of(actors: Actors, space: str) -> Pod:
    [pod] = await actors.until(space, "the pod to end", ended)
    return pod


def terminated(pod: Pod, container: str = "main") -> dict[str, Any]:
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    [found] = [each["state"]["terminated"] for each in statuses if each["name"] == container]
    return dict(found)


def restarts(pod: Pod, container: str = "main") -> int:
    [found] = [each["restartCount"] for each in pod.status.container_statuses if each["name"] == container]
    return int(found)


def is_ready(pod: Pod) -> bool:
    return any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)
