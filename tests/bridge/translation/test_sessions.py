from typing import Any

import pytest

from app.bridge.translation.task_spec import Translated, translate
from app.model.names import ALLOWED_ROLES, KUBE2IAM_ROLE
from app.model.pod import Pod
from tests.bridge.translation.builders import a_material, settings
from tests.builders import a_container, a_pod, identity_of

ROLE = "arn:aws:iam::123456789012:role/shop"
WITH_ROLE = a_pod(uid="u1", annotations={KUBE2IAM_ROLE: ROLE})
READ_ONLY = a_pod(containers=[a_container(securityContext={"readOnlyRootFilesystem": True})])
PLAIN = a_pod(uid="u1")


def translated(pod: Pod, **fields: Any) -> Translated:
    answer = translate(
        pod,
        material=a_material(namespace={ALLOWED_ROLES: "*"}),
        config=settings(**fields),
        identity=identity_of(pod),
        attempt=1,
    )
    assert isinstance(answer, Translated)
    return answer


def codes_of(answer: Translated) -> set[str]:
    return {each.code for each in answer.caveats}


@pytest.mark.parametrize(
    ("pod", "fields", "enabled"),
    [
        pytest.param(PLAIN, {}, True, id="auto, the operator's role"),
        pytest.param(PLAIN, {"task_role_arn": ""}, False, id="auto, no role"),
        pytest.param(WITH_ROLE, {"task_role_arn": ""}, True, id="auto, the pod's role"),
        pytest.param(PLAIN, {"exec": "on"}, True, id="on"),
        pytest.param(PLAIN, {"exec": "on", "task_role_arn": ""}, False, id="on, no role: ECS would refuse"),
        pytest.param(WITH_ROLE, {"exec": "off"}, False, id="off"),
        pytest.param(READ_ONLY, {}, True, id="a read-only root keeps the agent out, and not the others"),
    ],
)
def test_a_launch_asks_for_sessions_where_there_is_a_task_role(
    pod: Pod, fields: dict[str, Any], *, enabled: bool
) -> None:
    assert translated(pod, **fields).launch.execute_command is enabled


def test_sessions_are_no_part_of_the_definition() -> None:
    definitions = {translated(PLAIN, exec=each).launch.definition.family for each in ("auto", "on", "off")}
    assert len(definitions) == 1


def test_sessions_do_not_change_the_client_token() -> None:
    assert (
        translated(PLAIN, exec="on").launch.client_token == translated(PLAIN, exec="off").launch.client_token
    )


@pytest.mark.parametrize(
    ("pod", "fields", "codes"),
    [
        pytest.param(PLAIN, {"exec": "on"}, set(), id="they can be had"),
        pytest.param(PLAIN, {"exec": "on", "task_role_arn": ""}, {"ExecWithoutRole"}, id="no role"),
        pytest.param(READ_ONLY, {"exec": "on"}, {"ExecReadOnlyRoot"}, id="read-only root"),
        pytest.param(READ_ONLY, {"exec": "on", "task_role_arn": ""}, {"ExecWithoutRole"}, id="both"),
        pytest.param(READ_ONLY, {}, set(), id="not asked for by name"),
        pytest.param(PLAIN, {"task_role_arn": ""}, set(), id="nor without a role"),
    ],
)
def test_the_operator_who_asked_for_them_is_told_where_they_cannot_be(
    pod: Pod, fields: dict[str, Any], codes: set[str]
) -> None:
    assert codes_of(translated(pod, **fields)) == codes
