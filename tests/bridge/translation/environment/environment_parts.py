"""Containers with variables for tests, and what was found for them."""

import base64
from typing import Any

from app.bridge.translation.environment.resolved import Resolved, resolve
from app.bridge.translation.material import Material, StoredKey, StoredObject, Unready
from app.model.objects import ConfigMap
from app.model.reason import Reason
from tests.bridge.translation.builders import a_material, settings
from tests.builders import a_container, a_pod

NAME = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
IP = {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
PASSWORD = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
MATERIAL = a_material(
    secrets={
        "db": StoredObject(
            keys={"password": StoredKey("arn:db:password"), "jks": StoredKey("arn:db:jks", encoded=True)}
        ),
        "text": StoredObject(keys={"user": StoredKey("arn:text:user")}),
    },
    config_maps={
        "app": ConfigMap(data={"level": "debug", "USER": "me"}, binary_data={"logo": b"\xff"}),
        "own": ConfigMap(data={"SPILLWAY_POD": "x"}),
    },
    stored_maps={"big": StoredObject(keys={"TEXT": StoredKey("arn:big:TEXT")})},
)


def plain(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value}


def answer_of(material: Material = MATERIAL, **fields: Any) -> Resolved | Unready | tuple[Reason, ...]:
    pod = a_pod("web-1", containers=[a_container(**fields)])
    return resolve(
        pod.spec.containers[0], pod=pod, material=material, settings=settings(), field="spec.containers[0]"
    )


def resolved(material: Material = MATERIAL, **fields: Any) -> Resolved:
    answer = answer_of(material, **fields)
    assert isinstance(answer, Resolved)
    return answer


def environment(**fields: Any) -> dict[str, str]:
    return {name: value for name, value in resolved(**fields).environment.items() if name != "HOSTNAME"}


def env_line(name: str, text: str) -> str:
    return f"env {name} {base64.b64encode(text.encode()).decode()}"
