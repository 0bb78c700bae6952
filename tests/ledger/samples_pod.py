"""Proofs of the rows of PodSpec, and of what its own fields hold."""

import asyncio
import json
from datetime import timedelta
from typing import Any, Final

from app.bridge.decision.commands import SetStatus, StopTask
from app.bridge.decision.reconcile import decide
from app.bridge.status.pod_status import View, status_of
from app.bridge.translation.material import Material, Needs
from app.model.meta import ObjectMeta
from app.model.objects import Secret, Service, ServiceAccount, ServicePort, ServiceSpec
from app.model.pod import Pod
from tests.bridge.material.fakes import Outskirts, meta
from tests.bridge.situations import CRASHED, attempted, facts_of, kinds
from tests.bridge.translation.builders import IMAGE, a_material, settings
from tests.builders import NOON, a_container, a_pod, a_task
from tests.fargate.samples import TOKEN_MOUNT, TOKEN_VOLUME
from tests.ledger.proofs import Samples, decides, holds, lacks, main, refused, refused_at_launch, same, shows

ROLE: Final = "arn:aws:iam::123456789012:role/shop"
PULL: Final = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:spillway/pull"


def with_role(**fields: Any) -> Material:
    account = ServiceAccount(metadata=ObjectMeta(annotations={"eks.amazonaws.com/role-arn": ROLE}))
    allowed = {"spillway.dev/allowed-roles": ROLE}
    return a_material(**{"account": account, "namespace": allowed, **fields})


def a_service() -> Service:
    spec = ServiceSpec(cluster_ip="10.96.0.7", ports=(ServicePort(port=5432),))
    return Service(metadata=ObjectMeta(name="db", namespace="shop"), spec=spec)


def ended(policy: str, code: int) -> str:
    """The pod's phase a minute after its container ended: Running where it is about to run again."""
    pod = attempted(restartPolicy=policy, phase="Running")
    task = a_task(pod, **{**CRASHED, "exit_code": code})
    commands = decide(facts_of(pod, task, now=NOON + timedelta(minutes=1)))
    return next(str(each.status["phase"]) for each in commands if isinstance(each, SetStatus))


def pulled(secret: str) -> list[str]:
    """The images that are pulled with a login, for a pod that names this Secret, where there is `login`."""
    outskirts = Outskirts()
    auths = {"registry.example": {"username": "robot", "password": "p"}}
    data = {".dockerconfigjson": json.dumps({"auths": auths}).encode()}
    outskirts.sources.put(Secret(metadata=meta("login"), type="kubernetes.io/dockerconfigjson", data=data))
    pod = a_pod(imagePullSecrets=[{"name": secret}])
    found = asyncio.run(outskirts.gatherer.gather(pod, Needs(), namespace={}))
    return list(found.pulls) if isinstance(found, Material) else [str(found)]


def ready(**spec: Any) -> str:
    """The condition Ready of a pod whose container runs."""
    pod = a_pod(**spec)
    task = a_task(pod, started_at=NOON, ip="10.1.0.7")
    status = status_of(pod, View(task=task, now=NOON, node_ip="10.0.0.9"))
    return next(str(each["status"]) for each in status["conditions"] if each["type"] == "Ready")


def expired(*, live: bool) -> list[object]:
    """What is done about a pod that ran for a minute too long; kinds of commands, or the status written."""
    status = {"startTime": NOON.isoformat()}
    pod = attempted(activeDeadlineSeconds=60, status=status, phase="Running")
    end: dict[str, Any] = {} if live else {**CRASHED, "exit_code": 143}
    late = NOON + timedelta(seconds=61)
    commands = decide(facts_of(pod, a_task(pod, **end), now=late))
    written = [each.status for each in commands if isinstance(each, SetStatus)]
    return [*kinds(commands)] if live else [(each["phase"], each["reason"]) for each in written]


GATE: Final = {"conditionType": "lb.example/ready"}
TWO: Final = [a_container("a"), a_container("b", command=["/b"])]
SIDECAR: Final = a_container("proxy", restartPolicy="Always")
ELEVEN: Final = [a_container(f"c{number}") for number in range(11)]
LONG: Final = [a_container(env=[{"name": "TEXT", "value": "x" * 80_000}])]

SAMPLES: Final[Samples] = {
    "PodSpec.containers": (
        shows(a_pod(containers=TWO), "order", is_=["spillway-install", "spillway-keeper", "a", "b"]),
        refused(a_pod(containers=ELEVEN), "TooManyContainers", "spec.containers"),
        refused(a_pod(containers=LONG), "WordsTooLong", "spec.containers"),
        refused(Pod(), "NoContainers", "spec.containers"),
    ),
    "PodSpec.initContainers": (
        shows(
            a_pod(initContainers=[a_container("first")]),
            "main",
            "dependsOn",
            is_=[{"containerName": "first", "condition": "SUCCESS"}],
        ),
        shows(a_pod(initContainers=[a_container("first")]), "first", "essential", is_=False),
        shows(
            a_pod(initContainers=[SIDECAR]),
            "main",
            "dependsOn",
            is_=[{"containerName": "proxy", "condition": "START"}],
        ),
        shows(
            a_pod(initContainers=[SIDECAR]),
            "proxy",
            "restartPolicy",
            is_={"enabled": True, "restartAttemptPeriod": 60},
        ),
    ),
    "PodSpec.ephemeralContainers": (
        refused(
            a_pod(ephemeralContainers=[{"name": "debug"}]), "EphemeralContainers", "spec.ephemeralContainers"
        ),
    ),
    "PodSpec.restartPolicy": (
        decides("Always runs again", lambda: ended("Always", 0), "Running"),
        decides("OnFailure runs a failure again", lambda: ended("OnFailure", 3), "Running"),
        decides("OnFailure ends with a success", lambda: ended("OnFailure", 0), "Succeeded"),
        decides("Never ends with a failure", lambda: ended("Never", 3), "Failed"),
        shows(
            a_pod(containers=TWO, restartPolicy="Never"),
            "spillway-keeper",
            "command",
            is_=["keep", "a", "b"],
        ),
        holds(a_pod(containers=TWO, restartPolicy="OnFailure"), "b", "run", has="restart OnFailure"),
    ),
    "PodSpec.terminationGracePeriodSeconds": (
        shows(a_pod(terminationGracePeriodSeconds=45), "main", "stopTimeout", is_=45),
        holds(a_pod(terminationGracePeriodSeconds=600), "caveats", has="GracePeriodCut"),
        decides(
            "more than ECS has is cut",
            shows(a_pod(terminationGracePeriodSeconds=600), "main", "stopTimeout", is_=120).find,
            120,
        ),
    ),
    "PodSpec.activeDeadlineSeconds": (
        decides("the task is stopped then", lambda: expired(live=True)[:1], [StopTask]),
        decides("and the pod has failed", lambda: expired(live=False), [("Failed", "DeadlineExceeded")]),
    ),
    "PodSpec.resources": (
        shows(a_pod(resources={"requests": {"cpu": "3"}}), "task", "cpu", is_="4096"),
        refused(a_pod(resources={"requests": {"cpu": "33"}}), "TooLarge", "spec.containers"),
        refused(
            main(resources={"requests": {"ephemeral-storage": "201Gi"}}),
            "TooMuchEphemeralStorage",
            "spec.containers",
        ),
    ),
    "PodSpec.serviceAccountName": (
        shows(a_pod(serviceAccountName="shop"), "launch", "role", is_=ROLE, material=with_role()),
        refused_at_launch(
            a_pod(serviceAccountName="shop"), "RoleNotAllowed", material=with_role(namespace={})
        ),
    ),
    "PodSpec.serviceAccount": (same(a_pod(serviceAccount="default")),),
    "PodSpec.automountServiceAccountToken": (
        same(a_pod(automountServiceAccountToken=False)),
        holds(
            a_pod(volumes=[TOKEN_VOLUME], containers=[a_container(volumeMounts=[TOKEN_MOUNT])]),
            "caveats",
            has="TokenVolumeLeftOut",
            config=settings(helper_image=""),
        ),
    ),
    "PodSpec.enableServiceLinks": (
        shows(
            a_pod(),
            "main",
            "environment",
            "DB_SERVICE_HOST",
            is_="10.96.0.7",
            material=a_material(services=(a_service(),)),
        ),
        lacks(
            a_pod(enableServiceLinks=False),
            "main",
            "environment",
            "DB_SERVICE_PORT",
            material=a_material(services=(a_service(),)),
        ),
        shows(
            a_pod(enableServiceLinks=False),
            "main",
            "environment",
            "KUBERNETES_SERVICE_HOST",
            is_="api.example",
            config=settings(kubernetes_host="api.example"),
        ),
    ),
    "PodSpec.imagePullSecrets": (
        shows(
            a_pod(imagePullSecrets=[{"name": "login"}]),
            "main",
            "repositoryCredentials",
            is_={"credentialsParameter": PULL},
            material=a_material(pulls={IMAGE: PULL}),
        ),
    ),
    "LocalObjectReference.name": (
        decides("an image is pulled with the login in it", lambda: pulled("login"), [IMAGE]),
        decides("and not with that of another", lambda: pulled("other"), []),
    ),
    "PodSpec.securityContext": (shows(a_pod(securityContext={"runAsUser": 7}), "main", "user", is_="7"),),
    "PodSpec.shareProcessNamespace": (
        shows(a_pod(shareProcessNamespace=True), "task", "pidMode", is_="task"),
    ),
    "PodSpec.hostNetwork": (refused(a_pod(hostNetwork=True), "HostNetwork", "spec.hostNetwork"),),
    "PodSpec.hostPID": (refused(a_pod(hostPID=True), "HostPID", "spec.hostPID"),),
    "PodSpec.hostIPC": (refused(a_pod(hostIPC=True), "HostIPC", "spec.hostIPC"),),
    "PodSpec.hostUsers": (
        same(a_pod(hostUsers=True)),
        refused(a_pod(hostUsers=False), "HostUsers", "spec.hostUsers"),
    ),
    "PodSpec.readinessGates": (
        decides("not ready while the gate is shut", lambda: ready(readinessGates=[GATE]), "False"),
        decides("ready where nothing is shut", ready, "True"),
    ),
    "PodSpec.volumes": (
        holds(
            a_pod(
                volumes=[{"name": "v", "emptyDir": {}}],
                containers=[a_container(volumeMounts=[{"name": "v", "mountPath": "/v"}])],
            ),
            "task",
            "volumes",
            has={"name": "v", "host": {}},
        ),
    ),
}
