from typing import Any

import pytest

from tests.local.fargate.fakes import Aws, Refusal, a_container, a_definition


async def test_revisions_count_up_in_each_family(aws: Aws) -> None:
    assert [await aws.register(), await aws.register(), await aws.register(family="other")] == [
        "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1",
        "arn:aws:ecs:us-east-1:123456789012:task-definition/web:2",
        "arn:aws:ecs:us-east-1:123456789012:task-definition/other:1",
    ]


async def test_a_definition_comes_back_with_what_was_given_and_what_ecs_adds(aws: Aws) -> None:
    await aws.register(containerDefinitions=[a_container(entryPoint=["sh"], stopTimeout=60)])
    found = (await aws.call("DescribeTaskDefinition", taskDefinition="web"))["taskDefinition"]
    assert found["status"] == "ACTIVE"
    assert found["compatibilities"] == ["EC2", "FARGATE"]
    container = found["containerDefinitions"][0]
    assert (container["entryPoint"], container["stopTimeout"]) == (["sh"], 60)
    assert (container["essential"], container["environment"], container["cpu"]) == (True, [], 0)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("web", id="family"),
        pytest.param("web:2", id="family and revision"),
        pytest.param("arn:aws:ecs:us-east-1:123456789012:task-definition/web:2", id="ARN"),
    ],
)
async def test_a_definition_is_found_by(aws: Aws, name: str) -> None:
    await aws.register()
    await aws.register()
    found = await aws.call("DescribeTaskDefinition", taskDefinition=name)
    assert found["taskDefinition"]["revision"] == 2


@pytest.mark.parametrize(
    "name", ["nothing", "web:9", "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:1"]
)
async def test_a_definition_that_is_not_there_cannot_be_described(aws: Aws, name: str) -> None:
    await aws.register()
    with pytest.raises(Refusal, match="ClientException: Unable to describe task definition"):
        await aws.call("DescribeTaskDefinition", taskDefinition=name)


async def test_a_family_means_its_latest_active_revision(aws: Aws) -> None:
    await aws.register()
    await aws.register()
    await aws.call("DeregisterTaskDefinition", taskDefinition="web:2")
    found = await aws.call("DescribeTaskDefinition", taskDefinition="web")
    assert found["taskDefinition"]["revision"] == 1


async def test_a_deregistered_revision_is_still_described_in_full(aws: Aws) -> None:
    await aws.register()
    await aws.call("DeregisterTaskDefinition", taskDefinition="web:1")
    found = await aws.call("DescribeTaskDefinition", taskDefinition="web:1")
    assert found["taskDefinition"]["status"] == "INACTIVE"


async def test_deregistering_needs_a_revision(aws: Aws) -> None:
    await aws.register()
    with pytest.raises(Refusal, match="ClientException"):
        await aws.call("DeregisterTaskDefinition", taskDefinition="web")


async def test_listing_shows_active_revisions_by_family(aws: Aws) -> None:
    await aws.register(family="b")
    await aws.register(family="a")
    await aws.register(family="a")
    await aws.call("DeregisterTaskDefinition", taskDefinition="a:1")
    listed = (await aws.call("ListTaskDefinitions"))["taskDefinitionArns"]
    assert [each.rsplit("/", 1)[1] for each in listed] == ["a:2", "b:1"]
    inactive = await aws.call("ListTaskDefinitions", familyPrefix="a", status="INACTIVE")
    assert [each.rsplit("/", 1)[1] for each in inactive["taskDefinitionArns"]] == ["a:1"]


async def test_a_definitions_tags_are_listed(aws: Aws) -> None:
    arn = await aws.register(tags=[{"key": "team", "value": "shop"}])
    assert (await aws.call("ListTagsForResource", resourceArn=arn))["tags"] == [
        {"key": "team", "value": "shop"}
    ]


LOG_WITHOUT_PREFIX = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "/spillway/pods", "awslogs-region": "us-east-1"},
}


def with_containers(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"containerDefinitions": list(containers)}


def waiting_for(name: str, condition: str) -> dict[str, Any]:
    return a_container(dependsOn=[{"containerName": name, "condition": condition}])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"cpu": "256", "memory": "4096"}, "No Fargate configuration exists", id="no such size"),
        pytest.param({"cpu": "much"}, "Invalid 'cpu' setting for task", id="unreadable cpu"),
        pytest.param({"memory": None}, "'cpu' and 'memory' be defined", id="no memory"),
        pytest.param({"networkMode": "bridge"}, "only supports network mode", id="bridge network"),
        pytest.param({"requiresCompatibilities": ["EC2"]}, "runs Fargate only", id="EC2"),
        pytest.param({"family": "not a family"}, "Invalid family name", id="family"),
        pytest.param({"family": "x" * 256}, "Invalid family name", id="long family"),
        pytest.param({"executionRoleArn": None}, "execution role ARN to support", id="no execution role"),
        pytest.param(with_containers(), "cannot be empty", id="no containers"),
        pytest.param(
            with_containers(*(a_container(f"c{i}") for i in range(11))), "at most 10", id="eleven containers"
        ),
        pytest.param(with_containers(a_container(), a_container()), "must be unique", id="same name twice"),
        pytest.param(with_containers(a_container("a.b")), "Invalid container name", id="container name"),
        pytest.param(with_containers(a_container(essential=False)), "one essential", id="none essential"),
        pytest.param(with_containers(a_container(image="")), "Container.image", id="no image"),
        pytest.param(with_containers(a_container(cpu=512)), "Total cpu", id="cpu above the task's"),
        pytest.param(with_containers(a_container(memory=1024)), "Total memory", id="memory above the task's"),
        pytest.param(with_containers(a_container(privileged=True)), "'privileged'", id="privileged"),
        pytest.param(with_containers(a_container(dnsServers=["10.0.0.2"])), "'dnsServers'", id="DNS servers"),
        pytest.param(with_containers(a_container(stopTimeout=121)), "between 2 and 120", id="stop timeout"),
        pytest.param(
            with_containers(a_container(linuxParameters={"capabilities": {"add": ["NET_ADMIN"]}})),
            "SYS_PTRACE",
            id="capability",
        ),
        pytest.param(
            with_containers(a_container(portMappings=[{"containerPort": 80, "hostPort": 8080}])),
            "must match",
            id="host port",
        ),
        pytest.param(
            with_containers(a_container(logConfiguration=LOG_WITHOUT_PREFIX)),
            "requires options: awslogs-stream-prefix",
            id="log without stream prefix",
        ),
        pytest.param(
            with_containers(waiting_for("nobody", "START")), "does not exist", id="unknown dependency"
        ),
        pytest.param(with_containers(waiting_for("main", "START")), "cycle", id="dependency on itself"),
        pytest.param(
            with_containers(waiting_for("init", "SUCCESS"), a_container("init")),
            "Essential container 'init'",
            id="success of an essential container",
        ),
        pytest.param(
            with_containers(a_container(environment=[{"name": "BIG", "value": "x" * 65536}])),
            "64 KB",
            id="too long",
        ),
    ],
)
async def test_a_definition_is_refused(aws: Aws, changes: dict[str, Any], error: str) -> None:
    with pytest.raises(Refusal, match=f"ClientException: .*{error}"):
        await aws.call("RegisterTaskDefinition", **a_definition(**changes))


async def test_a_refused_definition_leaves_no_revision(aws: Aws) -> None:
    with pytest.raises(Refusal):
        await aws.call("RegisterTaskDefinition", **a_definition(cpu="3"))
    assert (await aws.register()).endswith("web:1")


async def test_sizes_may_be_written_in_words(aws: Aws) -> None:
    await aws.register(cpu=".5 vCPU", memory="2 GB")
    task = await aws.task(await aws.run())
    assert (task["cpu"], task["memory"]) == ("512", "2048")
