"""Whose rights a task has in AWS: the task role that a pod asks for, within what its namespace allows.

Handing a role to a task is handing over its rights, so whatever a pod or a service account names counts only
where the namespace's annotation lets it. The operator's own setting needs no leave.
"""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from app.bridge.config import TaskSettings
from app.bridge.translation.material import Material
from app.model.names import ALLOWED_ROLES, IRSA_ROLE, KUBE2IAM_ROLE
from app.model.pod import Pod
from app.model.reason import Reason

_ROLE_ARN: Final = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/.+")
_ACCOUNT: Final = re.compile(r"(arn:[a-z-]+:iam::[0-9]{12}:role/).+")


def task_role(pod: Pod, *, material: Material, settings: TaskSettings) -> str | Reason:
    """The ARN of the role that stands in place of the setting's; empty where the setting's holds.

    kube2iam's annotation wins over the service account's, and that over EKS Pod Identity.
    """
    role = _asked(pod, material=material, settings=settings)
    if isinstance(role, Reason):
        return role
    if role in {"", settings.task_role_arn}:
        return ""
    if any(fnmatchcase(role, pattern) for pattern in _patterns(material.namespace)):
        return role
    return Reason(
        "RoleNotAllowed",
        f"role {role} is not allowed in namespace {pod.metadata.namespace}; "
        f"let the namespace's annotation {ALLOWED_ROLES} name it, or remove the role",
    )


def _asked(pod: Pod, *, material: Material, settings: TaskSettings) -> str | Reason:
    account = material.account.metadata.annotations if material.account else {}
    annotated = pod.metadata.annotations.get(KUBE2IAM_ROLE, "")
    if annotated:
        return _arn(annotated, settings=settings)
    role = account.get(IRSA_ROLE) or material.pod_identity_role
    return role if not role or _ROLE_ARN.fullmatch(role) else _no_role(role)


def _arn(role: str, *, settings: TaskSettings) -> str | Reason:
    """The role's ARN: kube2iam takes a bare name (with its path) for one of its own account."""
    if _ROLE_ARN.fullmatch(role):
        return role
    account = _ACCOUNT.fullmatch(settings.execution_role_arn or settings.task_role_arn)
    if role.startswith("arn:") or account is None:
        return _no_role(role)
    return account[1] + role.removeprefix("/")


def _no_role(role: str) -> Reason:
    return Reason("InvalidRole", f'"{role}" is no role; write arn:aws:iam::ACCOUNT:role/NAME')


def _patterns(namespace: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(filter(None, (each.strip() for each in namespace.get(ALLOWED_ROLES, "").split(","))))
