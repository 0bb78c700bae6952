"""No value of a Secret stands anywhere but in the vault and in the container that asked for it."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]  # it ships no types
import pytest

from app.wiring.local.stack import LocalStack
from tests.system.actors import Actors
from tests.system.pods import config, create, end_of, python

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]

PLANTED = "pl4nted-\u00e4-value"
PASSWORD = "pl4nted-registry-password"


@pytest.fixture(autouse=True)
def with_helper(stack: LocalStack) -> None:
    if not stack.has_helper:
        pytest.skip("the in-task helper cannot be built here: apt-get install musl-tools")


def spellings(value: str) -> set[str]:
    """How a value may be written down."""
    raw = value.encode()
    quoted = json.dumps(value)[1:-1]
    return {value, quoted, raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}


def client(stack: LocalStack, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=stack.places.fargate_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def definitions(stack: LocalStack) -> str:
    """Every task definition, as AWS shows it."""
    ecs = client(stack, "ecs")
    arns = ecs.list_task_definitions()["taskDefinitionArns"]
    return "\n".join(repr(ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]) for arn in arns)


def tasks(stack: LocalStack) -> str:
    """Every task with its overrides, as AWS shows it."""
    ecs = client(stack, "ecs")
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in ecs.list_tasks(cluster="spillway", desiredStatus=status)["taskArns"]
    ]
    return repr(ecs.describe_tasks(cluster="spillway", tasks=arns[-100:])["tasks"])


def helper_logs(stack: LocalStack) -> str:
    """What our own containers printed."""
    logs = client(stack, "logs")
    group = "/spillway/pods"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="spillway/spillway-")
    return "\n".join(
        repr(logs.get_log_events(logGroupName=group, logStreamName=each["logStreamName"])["events"])
        for each in streams["logStreams"]
    )


def program_logs(stack: LocalStack) -> str:
    """The three programs' logs, and Fargate's journal of all calls."""
    directory = Path(stack.options.directory)
    return "\n".join(path.read_text() for path in sorted(directory.glob("*.log"))) + "\n".join(
        repr(entry) for entry in stack.fargate.journal.since()
    )


async def cluster(actors: Actors, space: str) -> str:
    """What anybody who may read Events, pods and nodes sees."""
    events = await actors.request("GET", f"/api/v1/namespaces/{space}/events")
    pods = await actors.request("GET", f"/api/v1/namespaces/{space}/pods")
    nodes = await actors.request("GET", "/api/v1/nodes")
    return json.dumps([events, pods, nodes], ensure_ascii=False)


async def test_planted_values_are_found_nowhere(stack: LocalStack, actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    await config(actors, space, "secrets", "keys", {"token": PLANTED, "file.txt": PLANTED})
    login = {"auths": {"registry.example": {"username": "shop", "password": PASSWORD}}}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {"name": "pull"},
        "data": {".dockerconfigjson": base64.b64encode(json.dumps(login).encode()).decode()},
    }
    await actors.request("POST", f"/api/v1/namespaces/{space}/secrets", body)
    container = python(
        "import os, sys; ok = os.environ['TOKEN'] in sys.argv[1]; raise SystemExit(0 if ok else 9)",
        image="registry.example/shop:1",
        args=["--token=$(TOKEN)"],
        env=[
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}},
            {"name": "COPY", "value": "$(TOKEN)"},
            {"name": "URL", "value": "https://u:$(TOKEN)@host/"},
        ],
        envFrom=[{"prefix": "ALL_", "secretRef": {"name": "keys"}}],
        volumeMounts=[{"name": "keys", "mountPath": "/etc/keys"}],
    )
    await create(
        actors,
        space,
        "keeper",
        container,
        automountServiceAccountToken=True,
        imagePullSecrets=[{"name": "pull"}],
        volumes=[{"name": "keys", "secret": {"secretName": "keys"}}],
    )
    pod = await end_of(actors, space)
    assert pod.status.phase == "Succeeded", pod.status
    shown = {
        "definitions": await asyncio.to_thread(definitions, stack),
        "tasks": await asyncio.to_thread(tasks, stack),
        "the helper's logs": await asyncio.to_thread(helper_logs, stack),
        "programs' logs": await asyncio.to_thread(program_logs, stack),
        "the cluster": await cluster(actors, space),
    }
    assert "registry.example/shop:1" in shown["definitions"]
    assert "keeper" in shown["tasks"]
    found = {
        (where, spelling)
        for where, text in shown.items()
        for value in (PLANTED, PASSWORD)
        for spelling in spellings(value)
        if spelling in text
    }
    assert found == set()
