"""Pods that ask for more than a command: files, secrets, init containers, probes, hooks, deadlines."""

from collections.abc import Sequence
from typing import Any

import pytest

from app.model.pod import Pod
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors
from tests.system.pods import SLEEP, config, create, end_of, ended, is_ready, python, restarts, terminated

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(autouse=True)
def with_helper(stack: LocalStack) -> None:
    if not stack.has_helper:
        pytest.skip("the in-task helper cannot be built here: apt-get install musl-tools")


async def test_config_and_secrets_arrive_as_variables_and_files(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await config(actors, space, "configmaps", "settings", {"mode": "blue", "app.ini": "[a]\nb=1\n"})
    await config(
        actors, space, "secrets", "keys", {"token": "s3cr3t-$(HOME)", "cert.pem": "line 1\nline 2\n"}
    )
    script = """
import os, sys
assert os.environ["MODE"] == "blue", os.environ["MODE"]
assert os.environ["KEYS_token"] == "s3cr3t-$(HOME)", os.environ["KEYS_token"]
assert os.environ["URL"] == "https://u:s3cr3t-$(HOME)@blue/", os.environ["URL"]
assert sys.argv[1] == "--token=s3cr3t-$(HOME)", sys.argv
assert open("/etc/shop/app.ini").read() == "[a]\\nb=1\\n"
assert open("/etc/keys/cert.pem").read() == "line 1\\nline 2\\n"
assert oct(os.stat("/etc/keys/cert.pem").st_mode & 0o777) == "0o400"
assert os.listdir("/etc/keys") == ["cert.pem"], os.listdir("/etc/keys")
"""
    container = python(
        script,
        args=["--token=$(KEYS_token)"],
        env=[
            {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}},
            {"name": "URL", "value": "https://u:$(KEYS_token)@$(MODE)/"},
        ],
        envFrom=[{"prefix": "KEYS_", "secretRef": {"name": "keys"}}],
        volumeMounts=[
            {"name": "settings", "mountPath": "/etc/shop"},
            {"name": "keys", "mountPath": "/etc/keys", "readOnly": True},
        ],
    )
    volumes = [
        {"name": "settings", "configMap": {"name": "settings"}},
        {
            "name": "keys",
            "secret": {
                "secretName": "keys",
                "items": [{"key": "cert.pem", "path": "cert.pem", "mode": 0o400}],
            },
        },
    ]
    await create(actors, space, "reader", container, volumes=volumes)
    pod = await end_of(actors, space)
    assert terminated(pod)["exitCode"] == 0, terminated(pod)


async def test_a_pod_knows_its_own_address_and_fields(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    script = """
import os
print("address", os.environ["POD_IP"])
assert os.environ["NAME"] == "self" and os.environ["HOSTNAME"] == "self"
assert os.environ["CPU"] == "100", os.environ["CPU"]
labels = open("/etc/podinfo/labels").read()
assert 'spillway.dev/overflow="required"' in labels.split("\\n"), labels
open("/dev/termination-log-here", "w").write(os.environ["POD_IP"])
"""
    container = python(
        script,
        env=[
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {
                "name": "CPU",
                "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1m"}},
            },
        ],
        terminationMessagePath="/dev/termination-log-here",
        volumeMounts=[{"name": "podinfo", "mountPath": "/etc/podinfo"}],
    )
    item = {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}
    volumes = [{"name": "podinfo", "downwardAPI": {"items": [item]}}]
    await create(actors, space, "self", container, volumes=volumes)
    pod = await end_of(actors, space)
    assert terminated(pod)["exitCode"] == 0, terminated(pod)
    assert terminated(pod)["message"] == pod.status.pod_ip != ""


async def test_a_service_accounts_token_is_where_libraries_look_for_it(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    script = """
base = "/var/run/secrets/kubernetes.io/serviceaccount/"
token = open(base + "token").read()
assert token.count(".") == 2 and len(token) > 100, len(token)
import os
assert open(base + "namespace").read() == os.environ["SPACE"]
"""
    container = python(
        script, env=[{"name": "SPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}]
    )
    await create(actors, space, "robot", container, automountServiceAccountToken=True)
    pod = await end_of(actors, space)
    assert terminated(pod)["exitCode"] == 0, terminated(pod)


async def test_init_containers_run_in_order_before_the_others(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    mount: dict[str, Any] = {"volumeMounts": [{"name": "work", "mountPath": "/work"}]}
    write = "open('/work/log', 'a').write('{0}\\n')".format
    await create(
        actors,
        space,
        "ordered",
        python("assert open('/work/log').read() == 'one\\ntwo\\n'", **mount),
        initContainers=[python(write("one"), "one", **mount), python(write("two"), "two", **mount)],
        volumes=[{"name": "work", "emptyDir": {}}],
    )
    pod = await end_of(actors, space)
    assert [terminated(pod, name)["exitCode"] for name in ("one", "two", "main")] == [0, 0, 0]
    assert pod.status.phase == "Succeeded"


async def test_a_failed_init_container_fails_the_pod(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await create(
        actors, space, "stuck", python("print()"), initContainers=[python("raise SystemExit(4)", "first")]
    )
    pod = await end_of(actors, space)
    assert (pod.status.phase, terminated(pod, "first")["exitCode"]) == ("Failed", 4)


async def test_a_sidecar_runs_beside_the_pod_and_does_not_hold_it_open(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await create(
        actors,
        space,
        "escorted",
        python("import time; time.sleep(0.5)"),
        initContainers=[python(SLEEP, "side", restartPolicy="Always")],
    )
    pod = await end_of(actors, space)
    assert pod.status.phase == "Succeeded"
    assert terminated(pod)["exitCode"] == 0


async def test_several_containers_end_each_by_itself(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await create(
        actors,
        space,
        "crew",
        python("raise SystemExit(0)", "quick"),
        python("import time; time.sleep(1.5); raise SystemExit(3)", "slow"),
    )
    pod = await end_of(actors, space)
    assert pod.status.phase == "Failed"
    assert (terminated(pod, "quick")["exitCode"], terminated(pod, "slow")["exitCode"]) == (0, 3)


async def test_a_container_that_failed_runs_again_under_on_failure(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await create(
        actors,
        space,
        "second-try",
        python("import os; raise SystemExit(0 if int(os.environ.get('SPILLWAY_ATTEMPT', '1')) > 1 else 5)"),
        restartPolicy="OnFailure",
    )
    [pod] = await actors.until(space, "the pod to end", ended)
    assert (pod.status.phase, restarts(pod)) == ("Succeeded", 1)


async def test_readiness_follows_the_probe(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    script = """
import http.server, os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
begun = time.monotonic()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if time.monotonic() - begun > 2 else 503)
        self.end_headers()
http.server.HTTPServer((os.environ["POD_IP"], 8080), Handler).serve_forever()
"""
    container = python(
        script,
        env=[{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        ports=[{"name": "web", "containerPort": 8080}],
        readinessProbe={"httpGet": {"port": "web", "path": "/ready"}, "periodSeconds": 1},
    )
    await create(actors, space, "door", container)
    running = await actors.until(
        space, "the pod to run", lambda pods: len(pods) == 1 and pods[0].status.phase == "Running"
    )
    assert not is_ready(running[0])
    await actors.until(space, "the pod to be ready", lambda pods: is_ready(pods[0]))


async def test_a_failed_liveness_probe_restarts_the_pod(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    probe = {"tcpSocket": {"port": 9}, "periodSeconds": 1, "failureThreshold": 2}
    await create(actors, space, "dull", python(SLEEP, livenessProbe=probe), restartPolicy="Always")
    await actors.until(
        space,
        "a restart",
        lambda pods: bool(pods[0].status.container_statuses) and restarts(pods[0]) >= 1,
    )
    told = await actors.events(space)
    assert any(reason == "Unhealthy" and "Liveness probe failed" in said for reason, said in told)
    assert ("Killing", "Container main failed liveness probe, will be restarted") in told


async def test_a_command_probe_makes_a_pod_ready(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 5}
    await create(actors, space, "nodding", python(SLEEP, readinessProbe=probe))
    await actors.until(space, "the pod to be ready", lambda pods: is_ready(pods[0]))


async def test_a_pod_past_its_deadline_is_ended(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await create(actors, space, "late", python(SLEEP), activeDeadlineSeconds=4)
    pod = await end_of(actors, space)
    assert (pod.status.phase, pod.status.reason) == ("Failed", "DeadlineExceeded")
    assert terminated(pod)["exitCode"] == 0


async def test_the_end_of_the_log_explains_a_failure_where_that_is_wanted(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    container = python(
        "print('no such table'); raise SystemExit(2)", terminationMessagePolicy="FallbackToLogsOnError"
    )
    await create(actors, space, "talker", container)
    pod = await end_of(actors, space)
    assert (terminated(pod)["exitCode"], terminated(pod)["message"]) == (2, "no such table\n")


async def test_a_hook_runs_before_the_container_is_stopped(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    script = """
import os, signal, sys, time
def end(*_):
    said = open("/work/said").read() if os.path.exists("/work/said") else "nothing"
    open("/work/../dev/message", "w").write(said)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
time.sleep(600)
"""
    container = python(
        script,
        lifecycle={"preStop": {"exec": {"command": ["sh", "-c", "echo goodbye > /work/said"]}}},
        terminationMessagePath="/dev/message",
        volumeMounts=[{"name": "work", "mountPath": "/work"}],
    )
    await create(
        actors,
        space,
        "polite",
        container,
        volumes=[{"name": "work", "emptyDir": {}}],
        activeDeadlineSeconds=4,
        terminationGracePeriodSeconds=10,
    )
    pod = await end_of(actors, space)
    assert terminated(pod)["message"] == "goodbye\n"


async def test_a_pod_waits_for_a_secret_that_is_not_there_yet(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    container = python(
        "import os; assert os.environ['TOKEN'] == 'late'",
        env=[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}}],
    )
    await create(actors, space, "waiting", container)

    def waits(pods: Sequence[Pod]) -> bool:
        states = [each["state"] for pod in pods for each in pod.status.container_statuses]
        reasons = [(state.get("waiting") or {}).get("reason") for state in states]
        return reasons == ["CreateContainerConfigError"]

    [pod] = await actors.until(space, "the pod to wait", waits)
    assert pod.status.container_statuses[0]["state"]["waiting"]["message"] == 'secret "keys" not found'
    await config(actors, space, "secrets", "keys", {"token": "late"})
    assert (await end_of(actors, space)).status.phase == "Succeeded"


async def test_a_role_outside_what_the_namespace_allows_is_refused(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    role = "arn:aws:iam::123456789012:role/admin"
    await create(actors, space, "greedy", python("print()"), annotations={"iam.amazonaws.com/role": role})
    pod = await end_of(actors, space)
    assert (pod.status.phase, pod.status.reason) == ("Failed", "FargateUnsupported")
    assert "spillway.dev/allowed-roles" in pod.status.message


async def test_users_and_rights_are_what_the_pod_says(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    script = """
import os
assert (os.getuid(), os.getgid()) == (1000, 3000), (os.getuid(), os.getgid())
status = open("/proc/self/status").read()
assert "NoNewPrivs:\\t1" in status
assert os.stat("/work").st_gid == 2000 and 2000 in os.getgroups(), (os.stat("/work").st_gid, os.getgroups())
open("/work/mine", "w").write("x")
try:
    open("/mine", "w")
except OSError:
    pass
else:
    raise SystemExit("the root is writable")
"""
    container = python(
        script,
        securityContext={"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True},
        volumeMounts=[{"name": "work", "mountPath": "/work"}],
    )
    # Another user's Python may stand where user 1000 must not look.
    container["command"][0] = "/usr/bin/python3"
    rights = {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000, "runAsNonRoot": True}
    volumes = [{"name": "work", "emptyDir": {}}]
    await create(actors, space, "humble", container, securityContext=rights, volumes=volumes)
    pod = await end_of(actors, space)
    assert terminated(pod)["exitCode"] == 0, terminated(pod)
