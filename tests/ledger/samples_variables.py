"""Proofs of the rows of environment variables and of what their values come from."""

import base64
from typing import Any, Final

from app.bridge.translation.material import Material, StoredKey, StoredObject
from app.model.meta import ObjectMeta
from app.model.objects import ConfigMap
from app.model.pod import Pod
from tests.bridge.translation.builders import a_material, settings
from tests.builders import a_container, a_pod
from tests.ledger.proofs import Samples, holds, lacks, main, refused, same, shows, waits

ENV: Final = "spec.containers[0].env[0]"
PLACE: Final = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:spillway/c/uid-7:password::"


def found() -> Material:
    """A ConfigMap `settings` with the key `mode`, and a Secret `login` with the key `password`."""
    mode = ConfigMap(metadata=ObjectMeta(name="settings"), data={"mode": "fast"})
    login = StoredObject(keys={"password": StoredKey(PLACE)})
    return a_material(config_maps={"settings": mode}, secrets={"login": login})


def taking(source: dict[str, Any], **container: Any) -> Pod:
    return main(env=[{"name": "IT", "valueFrom": source}], **container)


def field(path: str, **selector: str) -> Pod:
    return taking({"fieldRef": {"fieldPath": path, **selector}})


def resource(**selector: str) -> Pod:
    return a_pod(
        containers=[
            a_container(
                env=[{"name": "IT", "valueFrom": {"resourceFieldRef": selector}}],
                resources={"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "600Mi"}},
            ),
            a_container("other", command=["/o"], resources={"limits": {"cpu": "2"}}),
        ]
    )


def keyed(kind: str, **reference: Any) -> Pod:
    return taking({kind: reference})


def drawing(**source: Any) -> Pod:
    return main(envFrom=[source])


TOKEN: Final = [
    {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
    {"name": "URL", "value": "db://$(PASSWORD)@db"},
]
LATE: Final = f"env URL {base64.b64encode(b'db://$(PASSWORD)@db').decode()}"
CONFIG: Final = "CreateContainerConfigError"

SAMPLES: Final[Samples] = {
    "EnvVar.name": (
        shows(main(env=[{"name": "A.b", "value": "1"}]), "main", "environment", "A.b", is_="1"),
        refused(main(env=[{"name": "SPILLWAY_POD", "value": "{}"}]), "ReservedVariable", f"{ENV}.name"),
    ),
    "EnvVar.value": (
        shows(
            main(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$$"}]),
            "main",
            "environment",
            "B",
            is_="1$",
        ),
        holds(main(env=TOKEN), "main", "run", has=LATE, material=found()),
    ),
    "EnvVar.valueFrom": (
        shows(field("metadata.name"), "main", "environment", "IT", is_="web-1"),
        refused(taking({"vaultRef": {}}), "VariableSource", f"{ENV}.valueFrom"),
    ),
    "EnvVarSource.fieldRef": (
        shows(field("metadata.namespace"), "main", "environment", "IT", is_="shop"),
        holds(field("status.podIP"), "main", "run", has="fact IT podIP"),
        shows(
            field("status.hostIP"),
            "main",
            "environment",
            "IT",
            is_="10.0.0.9",
            config=settings(host_ip="10.0.0.9"),
        ),
        refused(field("status.phase"), "VariableField", f"{ENV}.valueFrom.fieldRef"),
    ),
    "ObjectFieldSelector.apiVersion": (
        shows(field("metadata.name", apiVersion="v1"), "main", "environment", "IT", is_="web-1"),
    ),
    "ObjectFieldSelector.fieldPath": (
        holds(field("status.podIPs"), "main", "run", has="fact IT podIPs"),
        refused(field("spec.hostname"), "VariableField", f"{ENV}.valueFrom.fieldRef"),
    ),
    "EnvVarSource.resourceFieldRef": (
        shows(resource(resource="requests.memory"), "main", "environment", "IT", is_=str(512 * 2**20)),
    ),
    "ResourceFieldSelector.resource": (
        shows(resource(resource="limits.memory"), "main", "environment", "IT", is_=str(600 * 2**20)),
    ),
    "ResourceFieldSelector.containerName": (
        shows(resource(resource="limits.cpu", containerName="other"), "main", "environment", "IT", is_="2"),
        refused(
            resource(resource="limits.cpu", containerName="lost"),
            "UnknownResource",
            f"{ENV}.valueFrom.resourceFieldRef",
        ),
    ),
    "ResourceFieldSelector.divisor": (
        shows(resource(resource="requests.cpu", divisor="1m"), "main", "environment", "IT", is_="500"),
    ),
    "EnvVarSource.configMapKeyRef": (
        shows(
            keyed("configMapKeyRef", name="settings", key="mode"),
            "main",
            "environment",
            "IT",
            is_="fast",
            material=found(),
        ),
    ),
    "ConfigMapKeySelector.name": (
        waits(keyed("configMapKeyRef", name="lost", key="mode"), CONFIG, material=found()),
    ),
    "ConfigMapKeySelector.key": (
        waits(keyed("configMapKeyRef", name="settings", key="lost"), CONFIG, material=found()),
    ),
    "ConfigMapKeySelector.optional": (
        same(keyed("configMapKeyRef", name="lost", key="mode", optional=True), main()),
    ),
    "EnvVarSource.secretKeyRef": (
        shows(
            keyed("secretKeyRef", name="login", key="password"),
            "main",
            "secrets",
            is_={"IT": PLACE},
            material=found(),
        ),
        lacks(
            keyed("secretKeyRef", name="login", key="password"),
            "main",
            "environment",
            "IT",
            material=found(),
        ),
    ),
    "SecretKeySelector.name": (
        waits(keyed("secretKeyRef", name="lost", key="password"), CONFIG, material=found()),
    ),
    "SecretKeySelector.key": (
        waits(keyed("secretKeyRef", name="login", key="lost"), CONFIG, material=found()),
    ),
    "SecretKeySelector.optional": (
        same(keyed("secretKeyRef", name="lost", key="password", optional=True), main()),
    ),
    "EnvVarSource.fileKeyRef": (
        refused(
            taking({"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k"}}),
            "VariableSource",
            f"{ENV}.valueFrom.fileKeyRef",
        ),
    ),
    "Container.envFrom": (
        shows(
            drawing(configMapRef={"name": "settings"}),
            "main",
            "environment",
            "mode",
            is_="fast",
            material=found(),
        ),
        shows(
            drawing(secretRef={"name": "login"}), "main", "secrets", is_={"password": PLACE}, material=found()
        ),
    ),
    "EnvFromSource.prefix": (
        shows(
            drawing(configMapRef={"name": "settings"}, prefix="APP_"),
            "main",
            "environment",
            "APP_mode",
            is_="fast",
            material=found(),
        ),
    ),
    "EnvFromSource.configMapRef": (
        shows(
            drawing(configMapRef={"name": "settings"}),
            "main",
            "environment",
            "mode",
            is_="fast",
            material=found(),
        ),
    ),
    "EnvFromSource.secretRef": (
        shows(
            drawing(secretRef={"name": "login"}), "main", "secrets", is_={"password": PLACE}, material=found()
        ),
    ),
    "ConfigMapEnvSource.name": (waits(drawing(configMapRef={"name": "lost"}), CONFIG),),
    "ConfigMapEnvSource.optional": (same(drawing(configMapRef={"name": "lost", "optional": True}), main()),),
    "SecretEnvSource.name": (waits(drawing(secretRef={"name": "lost"}), CONFIG),),
    "SecretEnvSource.optional": (same(drawing(secretRef={"name": "lost", "optional": True}), main()),),
}
