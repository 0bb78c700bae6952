"""The helper reads every line that the bridge's translation writes for it.

It reads all lines before it carries out the first, so a line of ours at the end that is none tells whether it
got there.
"""

from typing import Any

import pytest

from app.bridge.translation.material import StoredKey, StoredObject
from app.bridge.translation.task_spec import Translated, translate
from app.model.names import INSTALL_CONTAINER, PLAN_VARIABLE, RUN_VARIABLE
from app.model.objects import ConfigMap
from app.model.pod import Pod
from tests.bridge.translation.builders import a_material, settings
from tests.builders import a_container, a_pod, identity_of
from tests.helper.fakes import Stage

MATERIAL = a_material(
    config_maps={"settings": ConfigMap(data={"mode": "fast", "empty": ""})},
    secrets={"login": StoredObject({"password": StoredKey("arn:secret:password::")})},
)
CONFIG = settings(cluster_domain="cluster.local")
FILES = {"name": "files", "configMap": {"name": "settings"}}
PASSWORD = {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}}
ADDRESS = {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
HOOKS = {"postStart": {"exec": {"command": ["sh", "-c", "x y"]}}, "preStop": {"sleep": {"seconds": 5}}}


def text_in(pod: Pod, container: str, variable: str) -> str:
    answer = translate(pod, material=MATERIAL, config=CONFIG, identity=identity_of(pod), attempt=1)
    assert isinstance(answer, Translated)
    [found] = [
        each["value"]
        for definition in answer.launch.definition.body["containerDefinitions"]
        for each in definition.get("environment", ())
        if (definition["name"], each["name"]) == (container, variable)
    ]
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize(
    ("container", "spec"),
    [
        pytest.param({"terminationMessagePath": "/end"}, {}, id="message-grace-restart-and-resolver"),
        pytest.param({"lifecycle": HOOKS}, {"restartPolicy": "Never"}, id="hooks"),
        pytest.param({"lifecycle": {"stopSignal": "SIGRTMIN+3"}}, {}, id="stop-signal"),
        pytest.param({"env": [ADDRESS, PASSWORD], "args": ["$(PASSWORD)@$(ADDRESS)"]}, {}, id="variables"),
        pytest.param(
            {"securityContext": {"runAsUser": 7, "capabilities": {"drop": ["ALL"]}}},
            {"securityContext": {"fsGroup": 5, "supplementalGroups": [6]}},
            id="user-and-capabilities",
        ),
        pytest.param(
            {"securityContext": {"allowPrivilegeEscalation": False}}, {}, id="privileges-that-do-not-grow"
        ),
        pytest.param(
            {},
            {
                "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db", "db.shop"]}],
                "dnsConfig": {"nameservers": ["10.0.0.2"], "options": [{"name": "edns0"}]},
            },
            id="hosts-and-nameservers",
        ),
        pytest.param(
            {"volumeMounts": [{"name": "files", "mountPath": "/etc/mode", "subPath": "mode"}]},
            {"volumes": [FILES]},
            id="single-file",
        ),
    ],
)
def test_it_reads_what_a_container_is_told(
    stage: Stage, container: dict[str, Any], spec: dict[str, Any]
) -> None:
    pod = a_pod(containers=[a_container(**container)], **spec)
    lines = text_in(pod, "main", RUN_VARIABLE).split("\n")
    answer = stage.run(*lines, "nonsense")
    assert (answer.returncode, f"line {len(lines) + 1} " in answer.stderr) == (78, True), answer.stderr


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="files"),
        pytest.param({"securityContext": {"fsGroup": 5}}, id="files-of-a-group"),
        pytest.param({"securityContext": {"runAsUser": 7}}, id="a-folder-for-another-user"),
    ],
)
def test_it_reads_the_plan(stage: Stage, spec: dict[str, Any]) -> None:
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("files", "scratch")]
    volumes = [FILES, {"name": "scratch", "emptyDir": {}}]
    pod = a_pod(containers=[a_container(volumeMounts=mounts)], volumes=volumes, **spec)
    lines = text_in(pod, INSTALL_CONTAINER, PLAN_VARIABLE).split("\n")
    answer = stage.install(*lines, "nonsense")
    assert (answer.returncode, f"line {len(lines) + 1} " in answer.stderr) == (78, True), answer.stderr
