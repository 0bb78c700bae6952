"""What RegisterTaskDefinition refuses about rights, the kernel and secrets on Fargate. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html
"""

import re
from typing import Final

from app.local.fargate.definitions.capabilities import NAMES
from app.local.fargate.definitions.container_spec import ContainerSpec
from app.local.fargate.protocol.errors import AwsError, client_error
from app.local.fargate.protocol.wire import Json

_USER: Final = re.compile(r"[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)?")
_SECRET_ARN: Final = re.compile(r"arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[^:]+(:[^:]*){0,3}")
_PARAMETER: Final = re.compile(r"(arn:[a-z-]+:ssm:[a-z0-9-]+:\d{12}:parameter)?[A-Za-z0-9_./-]+")
_KERNEL_NAMESPACES: Final = frozenset(
    {
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    }
)
_OTHER_NAMESPACES: Final = ("fs.mqueue.", "net.")
_LINUX_NOT_ON_FARGATE: Final = ("devices", "sharedMemorySize", "maxSwap", "swappiness")
_NOT_EMBEDDED: Final = ("environmentFiles", "firelensConfiguration", "credentialSpecs")


def require_task(params: Json) -> None:
    """Raise AwsError for the first rule that the task as a whole breaks."""
    if params.get("pidMode", "task") != "task":
        raise client_error("Fargate supports only the pid mode 'task'.")
    unsupported = next((each for each in ("ipcMode", "placementConstraints") if params.get(each)), None)
    if unsupported is not None:
        raise client_error(f"Fargate compatible task definitions do not support {unsupported}.")
    if params.get("inferenceAccelerators"):
        raise client_error("Fargate compatible task definitions do not support inferenceAccelerators.")
    system = params.get("runtimePlatform", {}).get("operatingSystemFamily", "LINUX")
    if system != "LINUX":
        raise AwsError("UnsupportedFeatureException", f"The embedded Fargate runs LINUX, not {system}.")


def require_container(container: ContainerSpec, body: Json, *, role: str) -> None:
    """Raise AwsError for the first rule that a container breaks; `role` is the execution role."""
    if container.user and not _USER.fullmatch(container.user):
        raise client_error(f"Invalid user '{container.user}': it must be user, user:group, uid or uid:gid.")
    if body.get("resourceRequirements"):
        raise client_error("Fargate compatible task definitions do not support resourceRequirements.")
    unknown = next((each for each in _NOT_EMBEDDED if body.get(each)), None)
    if unknown is not None:
        raise AwsError("UnsupportedFeatureException", f"The embedded Fargate does not implement {unknown}.")
    _require_linux(container, body.get("linuxParameters", {}))
    _require_limits(body)
    _require_secrets(container, role=role)


def shared_name(name: str) -> AwsError:
    """A variable would come from a secret and from elsewhere too."""
    return client_error(
        "The secret name must be unique and not shared with any new or existing environment variables set on "
        f"the container, such as '{name}'."
    )


def _require_linux(container: ContainerSpec, body: Json) -> None:
    unsupported = next((each for each in _LINUX_NOT_ON_FARGATE if body.get(each)), None)
    if unsupported is not None:
        raise client_error(f"Fargate compatible task definitions do not support {unsupported}.")
    linux = container.linux_parameters
    for name in linux.capabilities.drop if linux is not None else ():
        if name not in {"ALL", *NAMES}:
            raise client_error(f"Invalid capability: {name}")


def _require_limits(body: Json) -> None:
    for limit in body.get("ulimits", ()):
        if limit["softLimit"] > limit["hardLimit"]:
            raise client_error(f"The soft limit of {limit['name']} must not exceed its hard limit.")
    for control in body.get("systemControls", ()):
        name = control.get("namespace", "")
        if name not in _KERNEL_NAMESPACES and not name.startswith(_OTHER_NAMESPACES):
            raise client_error(f"Invalid systemControls namespace: {name}")


def _require_secrets(container: ContainerSpec, *, role: str) -> None:
    if container.secrets and not role:
        raise client_error(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        )
    login = container.repository_credentials
    if login is not None and not role:
        raise client_error(
            "When you are specifying repository credentials, you must also specify a value for "
            "'executionRoleArn'."
        )
    if login is not None and not _SECRET_ARN.fullmatch(login.credentials_parameter):
        raise client_error("The credentialsParameter must be the ARN of a secret of Secrets Manager.")
    taken = {each.name for each in container.environment}
    for secret in container.secrets:
        if not secret.name or secret.name in taken:
            raise shared_name(secret.name)
        taken.add(secret.name)
        if not (_SECRET_ARN if ":secretsmanager:" in secret.value_from else _PARAMETER).fullmatch(
            secret.value_from
        ):
            raise client_error(f"Invalid valueFrom of the secret '{secret.name}'.")
