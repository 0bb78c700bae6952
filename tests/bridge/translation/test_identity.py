from typing import Any

import pytest

from app.bridge.translation.identity import task_role
from app.model.meta import ObjectMeta
from app.model.names import ALLOWED_ROLES, IRSA_ROLE, KUBE2IAM_ROLE
from app.model.objects import ServiceAccount
from app.model.reason import Reason
from tests.bridge.translation.builders import a_material, settings
from tests.builders import a_pod

ACCOUNT = "arn:aws:iam::123456789012:role"
ANY = {ALLOWED_ROLES: "*"}


def role_of(*, annotation: str = "", account: str = "", identity: str = "", **fields: Any) -> str | Reason:
    namespace = fields.pop("namespace", ANY)
    pod = a_pod(annotations={KUBE2IAM_ROLE: annotation} if annotation else {})
    annotated = ServiceAccount(metadata=ObjectMeta(annotations={IRSA_ROLE: account} if account else {}))
    material = a_material(namespace=namespace, account=annotated, pod_identity_role=identity)
    return task_role(pod, material=material, settings=settings(**fields))


def code_of(answer: str | Reason) -> str:
    assert isinstance(answer, Reason)
    return answer.code


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, "", id="nobody"),
        pytest.param({"annotation": f"{ACCOUNT}/a"}, f"{ACCOUNT}/a", id="annotation"),
        pytest.param({"annotation": "a"}, f"{ACCOUNT}/a", id="a-bare-name"),
        pytest.param({"annotation": "/path/a"}, f"{ACCOUNT}/path/a", id="a-name-with-a-path"),
        pytest.param({"account": f"{ACCOUNT}/b"}, f"{ACCOUNT}/b", id="service-account"),
        pytest.param({"identity": f"{ACCOUNT}/c"}, f"{ACCOUNT}/c", id="pod-identity"),
        pytest.param(
            {"annotation": "a", "account": f"{ACCOUNT}/b", "identity": f"{ACCOUNT}/c"},
            f"{ACCOUNT}/a",
            id="the-annotation-wins",
        ),
        pytest.param(
            {"account": f"{ACCOUNT}/b", "identity": f"{ACCOUNT}/c"}, f"{ACCOUNT}/b", id="then-the-account"
        ),
        pytest.param({"annotation": "task"}, "", id="the-setting's-own"),
    ],
)
def test_the_task_has_the_role_that_is_asked_for(asked: dict[str, str], expected: str) -> None:
    assert role_of(**asked) == expected


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        pytest.param("", False, id="none"),
        pytest.param(f"{ACCOUNT}/a", True, id="the-role"),
        pytest.param(f"{ACCOUNT}/team-*, {ACCOUNT}/a", True, id="one-of-several"),
        pytest.param("arn:aws:iam::*:role/?", True, id="a-pattern"),
        pytest.param(f"{ACCOUNT}/A", False, id="case-counts"),
        pytest.param(f"{ACCOUNT}/ab", False, id="another"),
        pytest.param("a", False, id="a-name-is-no-arn"),
    ],
)
def test_a_role_counts_only_where_the_namespace_allows_it(patterns: str, *, allowed: bool) -> None:
    answer = role_of(annotation="a", namespace={ALLOWED_ROLES: patterns})
    assert (answer == f"{ACCOUNT}/a") is allowed
    assert allowed or code_of(answer) == "RoleNotAllowed"


def test_the_operators_role_needs_no_leave() -> None:
    assert role_of(annotation="task", namespace={}) == ""


@pytest.mark.parametrize("role", ["arn:aws:iam::1:role/x", "arn:aws:s3:::bucket"])
def test_what_is_no_role_is_refused(role: str) -> None:
    assert code_of(role_of(annotation=role)) == "InvalidRole"


def test_a_service_accounts_role_must_be_an_arn() -> None:
    assert code_of(role_of(account="name")) == "InvalidRole"


def test_a_bare_name_needs_an_account_to_be_of() -> None:
    assert code_of(role_of(annotation="a", execution_role_arn="", task_role_arn="")) == "InvalidRole"


def test_another_partition_is_kept() -> None:
    answer = role_of(annotation="a", execution_role_arn="arn:aws-cn:iam::123456789012:role/exec")
    assert answer == "arn:aws-cn:iam::123456789012:role/a"
