"""Proofs of the rows of Container, and of its ports, resources and mounts."""

from datetime import timedelta
from typing import Any, Final

from app.bridge.decision.commands import SetStatus
from app.bridge.decision.living import unread
from app.bridge.decision.reconcile import decide
from app.bridge.status.endings import RESTARTING
from app.model.task import TaskContainer
from app.model.wire import Json
from tests.bridge.situations import CRASHED, attempted, facts_of
from tests.bridge.translation.builders import IMAGE, a_material, an_image
from tests.builders import NOON, a_container, a_pod, a_task
from tests.ledger.proofs import Samples, decides, holds, lacks, main, refused, refused_at_launch, same, shows

AT: Final = "spec.containers[0]"
CLAIM: Final = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
SCRATCH: Final = {"name": "v", "emptyDir": {}}
FILES: Final = {"name": "v", "configMap": {"name": "settings"}}


def mounting(volume: dict[str, Any] = SCRATCH, *, env: Any = (), rights: Any = None, **mount: Any) -> Any:
    container = a_container(
        volumeMounts=[{"name": "v", "mountPath": "/v", **mount}], env=list(env), securityContext=rights
    )
    return a_pod(volumes=[volume], containers=[container])


def logs_read(policy: str) -> Json:
    """The containers whose log's end becomes the termination message of a failed run."""
    pod = main(terminationMessagePolicy=policy)
    task = a_task(pod, **CRASHED)
    return [getattr(each, "logs", None) for each in unread(facts_of(pod, task), pod, task)][:1]


def after_init(policy: str) -> str:
    """The phase of a pod whose init container of this policy failed, and whose task was stopped for it."""
    pod = attempted(initContainers=[a_container("i", restartPolicy=policy)])
    inside = tuple(
        TaskContainer(name=name, last_status="STOPPED", exit_code=code)
        for name, code in (("i", 3), ("main", None))
    )
    over: dict[str, Any] = {
        "stop_code": "UserInitiated",
        "stopped_reason": f"{RESTARTING}init failed",
        "stopped_at": NOON,
    }
    task = a_task(pod, last_status="STOPPED", containers=inside, **over)
    commands = decide(facts_of(pod, task, now=NOON + timedelta(minutes=1)))
    return next(str(each.status["phase"]) for each in commands if isinstance(each, SetStatus))


NAMED: Final = [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]

SAMPLES: Final[Samples] = {
    "Container.name": (
        shows(a_pod(containers=[a_container("app")]), "order", is_=["app"]),
        refused(a_pod(containers=[a_container("spillway-install")]), "ContainerName", f"{AT}.name"),
    ),
    "Container.image": (
        shows(main(image="registry.example/other:2"), "main", "image", is_="registry.example/other:2"),
        refused(main(image=" "), "NoImage", f"{AT}.image"),
    ),
    "Container.imagePullPolicy": (
        same(main(imagePullPolicy="IfNotPresent"), main()),
        refused(main(imagePullPolicy="Never"), "ImagePullPolicy", f"{AT}.imagePullPolicy"),
    ),
    "Container.command": (
        shows(main(command=["/bin/app", "serve"]), "main", "entryPoint", is_=["/bin/app"]),
        shows(main(command=["/bin/app", "serve"]), "main", "command", is_=["serve"]),
        decides(
            "the image's own stands behind the helper",
            shows(
                main(lifecycle={"preStop": {"sleep": {"seconds": 1}}}),
                "main",
                "command",
                is_=None,
                material=a_material(images={IMAGE: an_image(entry_point=("/it",), command=("-v",))}),
            ).find,
            ["run", "main", "--", "/it", "-v"],
        ),
        refused_at_launch(
            main(lifecycle={"preStop": {"sleep": {"seconds": 1}}}),
            "ImageUnknown",
            material=a_material(images={}),
        ),
    ),
    "Container.args": (
        shows(
            main(args=["--name", "$(A)"], env=[{"name": "A", "value": "x"}]),
            "main",
            "command",
            is_=["--name", "x"],
        ),
    ),
    "Container.workingDir": (shows(main(workingDir="/srv"), "main", "workingDirectory", is_="/srv"),),
    "Container.env": (shows(main(env=[{"name": "A", "value": "1"}]), "main", "environment", "A", is_="1"),),
    "Container.ports": (
        shows(
            main(ports=[{"containerPort": 80}]),
            "main",
            "portMappings",
            is_=[{"containerPort": 80, "protocol": "tcp"}],
        ),
    ),
    "ContainerPort.containerPort": (
        shows(main(ports=[{"containerPort": 80}]), "main", "portMappings", 0, "containerPort", is_=80),
    ),
    "ContainerPort.name": (
        same(main(ports=[{"containerPort": 80, "name": "web"}]), main(ports=[{"containerPort": 80}])),
    ),
    "ContainerPort.protocol": (
        shows(
            main(ports=[{"containerPort": 53, "protocol": "UDP"}]),
            "main",
            "portMappings",
            0,
            "protocol",
            is_="udp",
        ),
        refused(
            main(ports=[{"containerPort": 1, "protocol": "SCTP"}]), "PortProtocol", f"{AT}.ports[0].protocol"
        ),
    ),
    "ContainerPort.hostPort": (
        refused(main(ports=[{"containerPort": 80, "hostPort": 80}]), "HostPort", f"{AT}.ports[0].hostPort"),
    ),
    "ContainerPort.hostIP": (
        refused(main(ports=[{"containerPort": 80, "hostIP": "::1"}]), "HostPort", f"{AT}.ports[0].hostIP"),
    ),
    "Container.resources": (
        shows(main(resources={"requests": {"memory": "300Mi"}}), "main", "memoryReservation", is_=300),
        refused(
            main(resources={"limits": {"nvidia.com/gpu": "1"}}),
            "ExtendedResource",
            f"{AT}.resources.limits[nvidia.com/gpu]",
        ),
    ),
    "ResourceRequirements.requests": (
        shows(main(resources={"requests": {"cpu": "2", "memory": "5Gi"}}), "task", "cpu", is_="2048"),
        shows(
            main(resources={"requests": {"ephemeral-storage": "30Gi"}}),
            "task",
            "ephemeralStorage",
            "sizeInGiB",
            is_=30,
        ),
        refused(
            main(resources={"requests": {"cpu": "some"}}), "InvalidQuantity", f"{AT}.resources.requests[cpu]"
        ),
    ),
    "ResourceRequirements.limits": (
        shows(main(resources={"limits": {"memory": "400Mi"}}), "main", "memory", is_=400),
        refused(
            main(resources={"limits": {"hugepages-2Mi": "2Mi"}}),
            "ExtendedResource",
            f"{AT}.resources.limits[hugepages-2Mi]",
        ),
    ),
    "ResourceRequirements.claims": (
        refused(main(resources={"claims": [{"name": "gpu"}]}), "ResourceClaims", f"{AT}.resources.claims"),
    ),
    "Container.resizePolicy": (
        same(main(resizePolicy=[{"resourceName": "cpu", "restartPolicy": "NotRequired"}]), main()),
    ),
    "Container.volumeMounts": (
        holds(
            mounting(),
            "main",
            "mountPoints",
            has={"sourceVolume": "v", "containerPath": "/v", "readOnly": False},
        ),
    ),
    "VolumeMount.name": (
        shows(mounting(), "main", "mountPoints", 0, "sourceVolume", is_="v"),
        refused(
            main(volumeMounts=[{"name": "lost", "mountPath": "/v"}]), "UnknownVolume", f"{AT}.volumeMounts[0]"
        ),
    ),
    "VolumeMount.mountPath": (
        shows(mounting(mountPath="/data"), "main", "mountPoints", 0, "containerPath", is_="/data"),
        refused(mounting(mountPath="/spillway/bin"), "ReservedMountPath", f"{AT}.volumeMounts[0].mountPath"),
    ),
    "VolumeMount.readOnly": (shows(mounting(readOnly=True), "main", "mountPoints", 0, "readOnly", is_=True),),
    "VolumeMount.recursiveReadOnly": (
        same(mounting(readOnly=True, recursiveReadOnly="IfPossible"), mounting(readOnly=True)),
        refused(
            mounting(readOnly=True, recursiveReadOnly="Enabled"),
            "RecursiveReadOnly",
            f"{AT}.volumeMounts[0].recursiveReadOnly",
        ),
    ),
    "VolumeMount.mountPropagation": (
        same(mounting(mountPropagation="None"), mounting()),
        refused(
            mounting(mountPropagation="Bidirectional"),
            "MountPropagation",
            f"{AT}.volumeMounts[0].mountPropagation",
        ),
    ),
    "VolumeMount.subPath": (
        shows(mounting(subPath="a/b"), "main", "mountPoints", 0, "sourceVolume", is_="v_1"),
        refused(
            mounting(FILES, subPath="app.conf", rights={"runAsUser": 7}),
            "SubPathFile",
            f"{AT}.volumeMounts[0].subPath",
        ),
    ),
    "VolumeMount.subPathExpr": (
        shows(mounting(subPathExpr="$(POD)", env=NAMED), "main", "mountPoints", 0, "sourceVolume", is_="v_1"),
        refused(
            a_pod(
                volumes=[SCRATCH],
                containers=[
                    a_container(
                        volumeMounts=[
                            {"name": "v", "mountPath": "/a", "subPathExpr": "x"},
                            {"name": "v", "mountPath": "/b"},
                        ]
                    )
                ],
            ),
            "SubPathShared",
            f"{AT}.volumeMounts[0].subPathExpr",
        ),
    ),
    "Container.volumeDevices": (
        refused(
            main(volumeDevices=[{"name": "d", "devicePath": "/dev/x"}]),
            "VolumeDevices",
            f"{AT}.volumeDevices",
        ),
    ),
    "Container.securityContext": (
        shows(
            main(securityContext={"readOnlyRootFilesystem": True}), "main", "readonlyRootFilesystem", is_=True
        ),
    ),
    "Container.lifecycle": (
        holds(main(lifecycle={"preStop": {"sleep": {"seconds": 5}}}), "main", "run", has="stop sleep 5"),
    ),
    "Container.restartPolicy": (
        shows(
            a_pod(initContainers=[a_container("proxy", restartPolicy="Always")]),
            "proxy",
            "restartPolicy",
            "enabled",
            is_=True,
        ),
        holds(
            a_pod(containers=[a_container(restartPolicy="OnFailure")], restartPolicy="Never"),
            "main",
            "run",
            has="restart OnFailure",
        ),
        decides("a failed init container is run again", lambda: after_init("OnFailure"), "Pending"),
        decides("or never", lambda: after_init("Never"), "Failed"),
    ),
    "Container.restartPolicyRules": (
        refused(
            main(restartPolicyRules=[{"action": "Restart"}]),
            "ContainerRestartPolicy",
            f"{AT}.restartPolicyRules",
        ),
    ),
    "Container.stdin": (shows(main(stdin=True), "main", "interactive", is_=True),),
    "Container.stdinOnce": (same(main(stdin=True, stdinOnce=True), main(stdin=True)),),
    "Container.tty": (shows(main(tty=True), "main", "pseudoTerminal", is_=True),),
    "Container.terminationMessagePath": (
        holds(main(terminationMessagePath="/why"), "main", "run", has="message L3doeQ== File 4096"),
        lacks(main(terminationMessagePath="/dev/termination-log"), "main", "mountPoints"),
    ),
    "Container.terminationMessagePolicy": (
        decides("the log's end is read", lambda: logs_read("FallbackToLogsOnError"), [("main",)]),
        decides("nothing is read", lambda: logs_read("File"), []),
    ),
}
