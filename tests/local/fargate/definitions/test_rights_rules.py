from typing import Any

import pytest

from tests.local.fargate.fakes import Aws, Refusal, a_container, a_definition

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-abcdef"
SECRET = {"name": "PASSWORD", "valueFrom": ARN}
LOGIN = {"credentialsParameter": ARN}
NOFILE = {"name": "nofile", "softLimit": 1024, "hardLimit": 4096}


def container(**fields: Any) -> dict[str, Any]:
    return {"containerDefinitions": [a_container(**fields)]}


def linux(**fields: Any) -> dict[str, Any]:
    return container(linuxParameters=fields)


def unlogged(**fields: Any) -> dict[str, Any]:
    """A definition without an execution role, and no log that would need one."""
    return {"executionRoleArn": None, **container(logConfiguration=None, **fields)}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"pidMode": "host"}, "only the pid mode 'task'", id="host's processes"),
        pytest.param({"ipcMode": "task"}, "do not support ipcMode", id="IPC mode"),
        pytest.param(
            {"placementConstraints": [{"type": "memberOf"}]},
            "do not support placementConstraints",
            id="placement",
        ),
        pytest.param(linux(devices=[{"hostPath": "/dev/x"}]), "do not support devices", id="devices"),
        pytest.param(linux(sharedMemorySize=64), "do not support sharedMemorySize", id="shared memory"),
        pytest.param(linux(maxSwap=64), "do not support maxSwap", id="swap"),
        pytest.param(
            linux(capabilities={"drop": ["FLY"]}), "Invalid capability: FLY", id="dropped capability"
        ),
        pytest.param(
            container(resourceRequirements=[{"type": "GPU", "value": "1"}]), "resourceRequirements", id="GPU"
        ),
        pytest.param(container(user="1:2:3"), "Invalid user", id="user with three parts"),
        pytest.param(container(user=":2"), "Invalid user", id="group alone"),
        pytest.param(container(user="a b"), "Invalid user", id="user with a space"),
        pytest.param(
            container(ulimits=[NOFILE | {"name": "nofiles"}]), "ulimits.1.member.name", id="name of a limit"
        ),
        pytest.param(
            container(ulimits=[NOFILE | {"softLimit": 9999}]), "soft limit of nofile", id="soft limit"
        ),
        pytest.param(
            container(systemControls=[{"namespace": "vm.swappiness", "value": "1"}]),
            "vm.swappiness",
            id="sysctl",
        ),
        pytest.param(container(secrets=[SECRET, SECRET]), "such as 'PASSWORD'", id="a secret twice"),
        pytest.param(
            container(secrets=[SECRET], environment=[{"name": "PASSWORD", "value": "x"}]),
            "such as 'PASSWORD'",
            id="a secret and a variable",
        ),
        pytest.param(
            container(secrets=[{"name": "X", "valueFrom": f"{ARN}:a:b:c:d"}]),
            "Invalid valueFrom",
            id="long ARN",
        ),
        pytest.param(
            container(secrets=[{"name": "X", "valueFrom": "a b"}]), "Invalid valueFrom", id="parameter name"
        ),
        pytest.param(unlogged(secrets=[SECRET]), "specifying container secrets", id="secret without a role"),
        pytest.param(unlogged(repositoryCredentials=LOGIN), "'executionRoleArn'", id="login without a role"),
        pytest.param(
            container(repositoryCredentials={"credentialsParameter": "db"}),
            "ARN of a secret",
            id="login's ARN",
        ),
    ],
)
async def test_a_definition_is_refused(aws: Aws, changes: dict[str, Any], error: str) -> None:
    with pytest.raises(Refusal, match=f"ClientException: .*{error}"):
        await aws.call("RegisterTaskDefinition", **_without_none(a_definition(**changes)))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param(
            container(environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::b/x.env"}]),
            "environmentFiles",
            id="environment files",
        ),
        pytest.param(
            {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}},
            "runs LINUX",
            id="Windows",
        ),
    ],
)
async def test_what_is_not_embedded_is_refused_clearly(aws: Aws, changes: dict[str, Any], error: str) -> None:
    with pytest.raises(Refusal, match=f"UnsupportedFeatureException: .*{error}"):
        await aws.call("RegisterTaskDefinition", **a_definition(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"pidMode": "task"}, id="the task's processes"),
        pytest.param({"runtimePlatform": {"cpuArchitecture": "ARM64"}}, id="ARM64"),
        pytest.param(container(user="app"), id="user"),
        pytest.param(container(user="app:app"), id="user and group"),
        pytest.param(container(user="1000:1000"), id="numbers"),
        pytest.param(linux(initProcessEnabled=True), id="init process"),
        pytest.param(linux(capabilities={"add": ["SYS_PTRACE"], "drop": ["ALL"]}), id="capabilities"),
        pytest.param(container(ulimits=[NOFILE]), id="limit"),
        pytest.param(
            container(systemControls=[{"namespace": "net.core.somaxconn", "value": "9"}]), id="sysctl"
        ),
        pytest.param(container(secrets=[SECRET | {"valueFrom": f"{ARN}:key::"}]), id="key of a secret"),
        pytest.param(container(secrets=[SECRET | {"valueFrom": "/shop/db"}]), id="parameter"),
        pytest.param(container(repositoryCredentials=LOGIN), id="registry login"),
    ],
)
async def test_a_definition_is_accepted(aws: Aws, changes: dict[str, Any]) -> None:
    assert (await aws.register(**changes)).endswith("web:1")


async def test_an_operation_that_is_not_embedded_is_refused_clearly(aws: Aws) -> None:
    with pytest.raises(Refusal, match="does not implement ListServices"):
        await aws.call("ListServices", cluster="spillway")


def _without_none(definition: dict[str, Any]) -> dict[str, Any]:
    containers = [
        {name: value for name, value in each.items() if value is not None}
        for each in definition["containerDefinitions"]
    ]
    return definition | {"containerDefinitions": containers}
