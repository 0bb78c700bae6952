"""Jobs and StatefulSets on Fargate, run by the real controllers."""

from typing import Any

import pytest

from app.local.fargate.faults.orders import Fault
from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors
from tests.system.pods import ONLY_FARGATE, SLEEP, python

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(autouse=True)
def with_controllers(stack: LocalStack) -> None:
    if stack.kubernetes == "embedded":
        pytest.skip("the embedded cluster stores Jobs and StatefulSets without running them")
    if not stack.has_helper:
        pytest.skip("the in-task helper cannot be built here: apt-get install musl-tools")


async def job(actors: Actors, space: str, container: dict[str, Any], **fields: Any) -> None:
    # Nothing is printed: waiting for the end of a log that stays empty would take its time.
    quiet = {**container, "terminationMessagePolicy": "File"}
    template = {
        "metadata": {"labels": ONLY_FARGATE, "annotations": fields.pop("annotations", {})},
        "spec": {
            "containers": [quiet],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 2,
            **fields.pop("spec", {}),
        },
    }
    body = {"metadata": {"name": "work"}, "spec": {**fields, "template": template}}
    await actors.request("POST", f"/apis/batch/v1/namespaces/{space}/jobs", body)


async def outcome(actors: Actors, space: str) -> dict[str, Any]:
    """The Job's status, once it is complete or has failed."""
    path = f"/apis/batch/v1/namespaces/{space}/jobs/work"
    status: dict[str, Any] = {}

    async def over() -> bool:
        status.update((await actors.request("GET", path))["status"])
        return any(each["type"] in {"Complete", "Failed"} for each in status.get("conditions", ()))

    await actors.until_so("the Job to end", over)
    return status


def reasons(status: dict[str, Any]) -> set[str]:
    return {each["reason"] for each in status["conditions"]}


async def test_each_pod_of_an_indexed_job_knows_its_index(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    container = python("import os; raise SystemExit(0 if os.environ['JOB_COMPLETION_INDEX'] in '012' else 1)")
    await job(actors, space, container, completions=3, parallelism=2, completionMode="Indexed")
    status = await outcome(actors, space)
    assert (status["completedIndexes"], status.get("failed", 0)) == ("0-2", 0)


async def test_a_sidecar_does_not_hold_a_job_open(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    sidecar = python(SLEEP, "side", restartPolicy="Always")
    await job(actors, space, python("print()"), spec={"initContainers": [sidecar]})
    assert reasons(await outcome(actors, space)) == {"CompletionsReached"}


async def test_an_exit_code_reaches_the_jobs_failure_policy(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    await job(actors, space, python("raise SystemExit(42)"), podFailurePolicy={"rules": [rule]})
    assert reasons(await outcome(actors, space)) == {"PodFailurePolicy"}


async def test_a_spot_interruption_does_not_count_as_the_jobs_failure(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    interruption = Fault(operation="RunTask", kind="spot-interruption", seconds=0.5, provider="FARGATE_SPOT")
    actors.stack.fargate.faults.add(interruption)
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    await job(
        actors,
        space,
        python("import time; time.sleep(3)"),
        annotations={"spillway.dev/capacity": "spot"},
        backoffLimit=0,
        podFailurePolicy={"rules": [rule]},
    )
    status = await outcome(actors, space)
    assert (reasons(status), status["succeeded"]) == ({"CompletionsReached"}, 1)
    assert await actors.until_told(space, "SpotInterruption") == "Your Spot Task was interrupted."


async def test_a_job_past_its_deadline_leaves_no_task(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await job(actors, space, python(SLEEP), activeDeadlineSeconds=3)
    assert reasons(await outcome(actors, space)) == {"DeadlineExceeded"}
    await actors.until_no_task_is_left()


async def test_the_pods_of_a_stateful_set_come_in_order_under_their_names(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    script = "import os\nassert os.environ['HOSTNAME'] == os.environ['NAME']\n" + SLEEP
    name = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    labels = {"app": "db", **ONLY_FARGATE}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [python(script, env=[name])]}}
    spec = {
        "replicas": 2,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": template,
    }
    body = {"metadata": {"name": "db"}, "spec": spec}
    await actors.request("POST", f"/apis/apps/v1/namespaces/{space}/statefulsets", body)
    pods = await actors.until(
        space, "2 running pods", lambda pods: [pod.status.phase for pod in pods] == ["Running"] * 2
    )
    first, second = sorted(pods, key=lambda pod: pod.metadata.name)
    assert (first.metadata.name, second.metadata.name) == ("db-0", "db-1")
    assert first.status.start_time is not None
    assert second.status.start_time is not None
    assert first.status.start_time <= second.status.start_time
