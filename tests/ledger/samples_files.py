"""Proofs of the rows of the volumes whose files the helper writes."""

import base64
from datetime import timedelta
from typing import Any, Final

from app.bridge.translation.material import Material, SealedToken, StoredKey, StoredObject, TokenWish
from app.model.meta import ObjectMeta
from app.model.objects import ConfigMap, ServiceAccount
from app.model.pod import Pod
from tests.bridge.translation.builders import a_material
from tests.builders import NOON, a_container, a_pod
from tests.ledger.proofs import Sample, Samples, decides, holds, refused, shows, view, waits

V: Final = "spec.volumes[0]"
PLACE: Final = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:spillway/c/uid-7:password::"
ITEMS: Final = [{"key": "mode", "path": "conf/mode.txt", "mode": 0o400}]
SECRET_ITEMS: Final = [{"key": "password", "path": "pass", "mode": 0o400}]
FIELD: Final = {"fieldRef": {"fieldPath": "metadata.name"}}
EVERY: Final = {"fieldRef": {"fieldPath": "metadata.labels"}}
SECONDS: Final = 7200


def found() -> Material:
    """A ConfigMap `settings`, a Secret `login`, and a token of the pod's service account."""
    settings = ConfigMap(metadata=ObjectMeta(name="settings"), data={"mode": "fast"})
    login = StoredObject(keys={"password": StoredKey(PLACE)})
    token = SealedToken("c2VhbGVk", NOON + timedelta(seconds=SECONDS))
    return a_material(
        config_maps={"settings": settings},
        secrets={"login": login},
        tokens={TokenWish("vault", SECONDS): token},
        account=ServiceAccount(metadata=ObjectMeta(name="default")),
        seal_key="arn:aws:secretsmanager:eu-west-1:123456789012:secret:spillway/key",
    )


def mounting(**source: Any) -> Pod:
    mounts = [{"name": "v", "mountPath": "/v"}]
    return a_pod(
        labels={"app": "web"},
        volumes=[{"name": "v", **source}],
        containers=[a_container(volumeMounts=mounts, command=["/it"])],
    )


def projecting(*sources: dict[str, Any], **volume: Any) -> Pod:
    return mounting(projected={"sources": list(sources), **volume})


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def writes(pod: Pod, *, path: str, mode: str, text: str) -> Sample:
    line = f"file v {b64(path)} {mode} - - text:{b64(text)}"
    return holds(pod, "plan", has=line, material=found())


def brings(pod: Pod, *, path: str, mode: str) -> Sample:
    """The file's text comes from a variable of the installing container, which ECS takes from the vault."""

    def find() -> object:
        seen = view(pod, material=found())
        secrets = seen["spillway-install"]["secrets"]
        lines = [line.rsplit(":", 1) for line in seen["plan"]]
        return [(start, secrets.get(variable)) for start, variable in lines]

    return decides(f"brings {path}", find, [(f"file v {b64(path)} {mode} - - env", PLACE)])


def told(source: dict[str, Any], **item: Any) -> Pod:
    return mounting(downwardAPI={"items": [{"path": "it", **source, **item}]})


def a_token(**fields: Any) -> dict[str, Any]:
    body = {"path": "token", "audience": "vault", "expirationSeconds": SECONDS}
    return {"serviceAccountToken": {**body, **fields}}


SEALED: Final = f"file v {b64('token')} 644 - - sealed:c2VhbGVk"
CREATING: Final = "ContainerCreating"

SAMPLES: Final[Samples] = {
    "Volume.configMap": (
        writes(mounting(configMap={"name": "settings"}), path="mode", mode="644", text="fast"),
    ),
    "ConfigMapVolumeSource.name": (waits(mounting(configMap={"name": "lost"}), CREATING, material=found()),),
    "ConfigMapVolumeSource.items": (
        writes(
            mounting(configMap={"name": "settings", "items": ITEMS}),
            path="conf/mode.txt",
            mode="400",
            text="fast",
        ),
    ),
    "ConfigMapVolumeSource.optional": (
        shows(mounting(configMap={"name": "lost", "optional": True}), "plan", is_=[], material=found()),
    ),
    "ConfigMapVolumeSource.defaultMode": (
        writes(
            mounting(configMap={"name": "settings", "defaultMode": 0o440}),
            path="mode",
            mode="440",
            text="fast",
        ),
    ),
    "KeyToPath.key": (
        waits(
            mounting(configMap={"name": "settings", "items": [{"key": "lost", "path": "p"}]}),
            CREATING,
            material=found(),
        ),
    ),
    "KeyToPath.path": (
        writes(
            mounting(configMap={"name": "settings", "items": ITEMS}),
            path="conf/mode.txt",
            mode="400",
            text="fast",
        ),
    ),
    "KeyToPath.mode": (
        writes(
            mounting(configMap={"name": "settings", "items": ITEMS}),
            path="conf/mode.txt",
            mode="400",
            text="fast",
        ),
    ),
    "Volume.secret": (brings(mounting(secret={"secretName": "login"}), path="password", mode="644"),),
    "SecretVolumeSource.secretName": (
        waits(mounting(secret={"secretName": "lost"}), CREATING, material=found()),
    ),
    "SecretVolumeSource.items": (
        brings(mounting(secret={"secretName": "login", "items": SECRET_ITEMS}), path="pass", mode="400"),
    ),
    "SecretVolumeSource.optional": (
        shows(mounting(secret={"secretName": "lost", "optional": True}), "plan", is_=[], material=found()),
    ),
    "SecretVolumeSource.defaultMode": (
        brings(mounting(secret={"secretName": "login", "defaultMode": 0o400}), path="password", mode="400"),
    ),
    "Volume.downwardAPI": (writes(told(FIELD), path="it", mode="644", text="web-1"),),
    "DownwardAPIVolumeSource.items": (writes(told(EVERY), path="it", mode="644", text='app="web"'),),
    "DownwardAPIVolumeSource.defaultMode": (
        writes(
            mounting(downwardAPI={"items": [{"path": "it", **FIELD}], "defaultMode": 0o400}),
            path="it",
            mode="400",
            text="web-1",
        ),
    ),
    "DownwardAPIVolumeFile.path": (writes(told(FIELD, path="a/b"), path="a/b", mode="644", text="web-1"),),
    "DownwardAPIVolumeFile.mode": (writes(told(FIELD, mode=0o600), path="it", mode="600", text="web-1"),),
    "DownwardAPIVolumeFile.fieldRef": (
        writes(told(FIELD), path="it", mode="644", text="web-1"),
        refused(
            told({"fieldRef": {"fieldPath": "status.podIP"}}),
            "DownwardField",
            f"{V}.downwardAPI.items[0].fieldRef",
        ),
    ),
    "DownwardAPIVolumeFile.resourceFieldRef": (
        writes(
            told({"resourceFieldRef": {"containerName": "main", "resource": "requests.cpu"}}),
            path="it",
            mode="644",
            text="0",
        ),
    ),
    "Volume.projected": (
        writes(projecting({"configMap": {"name": "settings"}}), path="mode", mode="644", text="fast"),
    ),
    "ProjectedVolumeSource.sources": (
        shows(
            projecting(
                {"configMap": {"name": "settings"}}, {"downwardAPI": {"items": [{"path": "n", **FIELD}]}}
            ),
            "plan",
            is_=[
                f"file v {b64('mode')} 644 - - text:{b64('fast')}",
                f"file v {b64('n')} 644 - - text:{b64('web-1')}",
            ],
            material=found(),
        ),
    ),
    "ProjectedVolumeSource.defaultMode": (
        writes(
            projecting({"configMap": {"name": "settings"}}, defaultMode=0o400),
            path="mode",
            mode="400",
            text="fast",
        ),
    ),
    "VolumeProjection.configMap": (
        writes(projecting({"configMap": {"name": "settings"}}), path="mode", mode="644", text="fast"),
    ),
    "ConfigMapProjection.name": (
        waits(projecting({"configMap": {"name": "lost"}}), CREATING, material=found()),
    ),
    "ConfigMapProjection.items": (
        writes(
            projecting({"configMap": {"name": "settings", "items": ITEMS}}),
            path="conf/mode.txt",
            mode="400",
            text="fast",
        ),
    ),
    "ConfigMapProjection.optional": (
        shows(
            projecting({"configMap": {"name": "lost", "optional": True}}), "plan", is_=[], material=found()
        ),
    ),
    "VolumeProjection.secret": (
        brings(projecting({"secret": {"name": "login"}}), path="password", mode="644"),
    ),
    "SecretProjection.name": (waits(projecting({"secret": {"name": "lost"}}), CREATING, material=found()),),
    "SecretProjection.items": (
        brings(projecting({"secret": {"name": "login", "items": SECRET_ITEMS}}), path="pass", mode="400"),
    ),
    "SecretProjection.optional": (
        shows(projecting({"secret": {"name": "lost", "optional": True}}), "plan", is_=[], material=found()),
    ),
    "VolumeProjection.downwardAPI": (
        writes(
            projecting({"downwardAPI": {"items": [{"path": "n", **FIELD}]}}),
            path="n",
            mode="644",
            text="web-1",
        ),
    ),
    "DownwardAPIProjection.items": (
        writes(
            projecting({"downwardAPI": {"items": [{"path": "n", **EVERY}]}}),
            path="n",
            mode="644",
            text='app="web"',
        ),
    ),
    "VolumeProjection.serviceAccountToken": (
        holds(projecting(a_token()), "plan", has=SEALED, material=found()),
        holds(projecting(a_token()), "caveats", has="TokenNotRefreshed", material=found()),
    ),
    "ServiceAccountTokenProjection.path": (
        holds(
            projecting(a_token(path="t/me")),
            "plan",
            has=f"file v {b64('t/me')} 644 - - sealed:c2VhbGVk",
            material=found(),
        ),
    ),
    "ServiceAccountTokenProjection.audience": (
        waits(projecting(a_token(audience="other")), CREATING, material=found()),
    ),
    "ServiceAccountTokenProjection.expirationSeconds": (
        waits(projecting(a_token(expirationSeconds=600)), CREATING, material=found()),
    ),
    "VolumeProjection.clusterTrustBundle": (
        refused(
            projecting({"clusterTrustBundle": {"path": "ca.pem"}}),
            "Volume",
            f"{V}.projected.sources[0].clusterTrustBundle",
        ),
    ),
    "VolumeProjection.podCertificate": (
        refused(
            projecting({"podCertificate": {"signerName": "s"}}),
            "Volume",
            f"{V}.projected.sources[0].podCertificate",
        ),
    ),
}
