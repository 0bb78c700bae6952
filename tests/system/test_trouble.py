"""What people see of a pod that is in trouble: waiting reasons, Events, and rollouts that do not go on."""

from collections.abc import Sequence
from typing import Any

import pytest

from app.model.pod import Pod
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors, running
from tests.system.pods import SLEEP, config, create, end_of, is_ready, python, terminated

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]
LARGE = "x" * 70_000
"""More than one entry of AWS Secrets Manager takes."""


@pytest.fixture(autouse=True)
def with_helper(stack: LocalStack) -> None:
    if not stack.has_helper:
        pytest.skip("the in-task helper cannot be built here: apt-get install musl-tools")


def first_of(pod: Pod) -> dict[str, Any]:
    """The state of the container that comes first; nothing before there is one."""
    statuses = (*pod.status.init_container_statuses, *pod.status.container_statuses)
    return statuses[0] if statuses else {"state": {}}


def in_back_off(pods: Sequence[Pod]) -> bool:
    """Whether the only pod waits to be started again."""
    waiting = [first_of(pod)["state"].get("waiting") or {} for pod in pods]
    return [each.get("reason") for each in waiting] == ["CrashLoopBackOff"]


FAILING = python("raise SystemExit(3)", "first", terminationMessagePolicy="File")


@pytest.mark.parametrize(
    ("main", "spec"),
    [
        pytest.param(FAILING, {}, id="main"),
        pytest.param(python(SLEEP), {"initContainers": [FAILING]}, id="init"),
    ],
)
async def test_a_container_that_fails_again_and_again_is_in_crash_loop_back_off(
    actors: Actors, main: dict[str, Any], spec: dict[str, Any]
) -> None:
    space = await actors.namespace(overflow="permitted")
    await create(actors, space, "crashing", main, restartPolicy="Always", **spec)
    [pod] = await actors.until(space, "the back-off", in_back_off)
    assert first_of(pod)["lastState"]["terminated"]["exitCode"] == 3
    assert await actors.until_told(space, "BackOff")


async def test_a_large_key_that_a_pod_does_not_use_is_no_hindrance(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await config(actors, space, "configmaps", "settings", {"large": LARGE, "mode": "blue"})
    await config(actors, space, "secrets", "keys", {"large": LARGE, "token": "t"})
    env = [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}}]
    items = [{"key": "mode", "path": "mode"}]
    container = python(
        "import os; assert os.environ['TOKEN'] + open('/etc/shop/mode').read() == 'tblue'",
        env=env,
        volumeMounts=[{"name": "settings", "mountPath": "/etc/shop"}],
    )
    volumes = [{"name": "settings", "configMap": {"name": "settings", "items": items}}]
    await create(actors, space, "frugal", container, volumes=volumes)
    assert (await end_of(actors, space)).status.phase == "Succeeded"


async def test_a_large_key_that_a_pod_uses_refuses_it_with_the_reason(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await config(actors, space, "secrets", "keys", {"large": LARGE})
    await create(actors, space, "greedy", python("print()", envFrom=[{"secretRef": {"name": "keys"}}]))
    pod = await end_of(actors, space)
    assert pod.status.reason == "FargateUnsupported"
    assert 'key "large" of Secret "keys" does not fit' in pod.status.message


async def test_a_pull_secret_that_is_not_there_is_told_and_holds_nothing_back(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await create(actors, space, "open", python("print()"), imagePullSecrets=[{"name": "absent"}])
    assert (await end_of(actors, space)).status.phase == "Succeeded"
    assert "(absent)" in await actors.until_told(space, "FailedToRetrieveImagePullSecret")


async def test_a_service_accounts_token_opens_the_api_server(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    script = """
import os, ssl, urllib.error, urllib.request
base = "/var/run/secrets/kubernetes.io/serviceaccount/"
trust = ssl.create_default_context(cafile=base + "ca.crt")
address = "https://{}:{}/api/v1/namespaces/default".format(
    os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
)
asked = urllib.request.Request(address, headers={"Authorization": "Bearer " + open(base + "token").read()})
try:
    print(urllib.request.urlopen(asked, context=trust, timeout=5).status)
except urllib.error.HTTPError as error:
    assert error.code == 403, error
"""
    await create(actors, space, "robot", python(script), automountServiceAccountToken=True)
    pod = await end_of(actors, space)
    assert terminated(pod)["exitCode"] == 0, terminated(pod)


async def test_a_version_that_never_gets_ready_does_not_take_the_old_one_down(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    await actors.deployment(space, replicas=2, nodeSelector={"type": "virtual-kubelet"})
    before = await actors.until(space, "2 running pods", lambda pods: len(running(pods)) == 2)
    probe = {"tcpSocket": {"port": 9}, "periodSeconds": 1}
    container = {"name": "main", "readinessProbe": probe}
    await actors.request(
        "PATCH",
        f"/apis/apps/v1/namespaces/{space}/deployments/web",
        {"spec": {"template": {"spec": {"containers": [container]}}}},
        content_type="application/strategic-merge-patch+json",
    )
    assert "Readiness probe failed" in await actors.until_told(space, "Unhealthy")
    await actors.pass_time(2)
    after = await actors.pods(space)
    assert {pod.uid for pod in after if is_ready(pod)} == {pod.uid for pod in before}


async def test_a_refused_pod_of_a_controller_waits_instead_of_multiplying(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "everybody"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]},
    }
    await actors.request("POST", f"/apis/networking.k8s.io/v1/namespaces/{space}/networkpolicies", policy)
    await actors.deployment(space, replicas=2, nodeSelector={"type": "virtual-kubelet"})
    assert await actors.until_told(space, "FargateUnsupported")
    await actors.pass_time(3)
    pods = await actors.pods(space)
    assert [pod.status.phase for pod in pods] == ["Pending", "Pending"]
