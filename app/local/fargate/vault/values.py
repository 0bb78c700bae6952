"""What Fargate reads for a task before it starts: the values of its secrets, and registry credentials.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html
"""

import json
from dataclasses import dataclass
from typing import Final

from app.local.fargate.protocol.errors import AwsError
from app.local.fargate.protocol.wire import Json
from app.local.fargate.vault.parameters_api import ParametersApi
from app.local.fargate.vault.secrets_api import SecretsApi

_PREFIX: Final = (
    "ResourceInitializationError: unable to pull secrets or registry auth: "
    "execution resource retrieval failed: "
)
_RETRIED: Final = "service call has been retried 1 time(s)"
_SECRETS_MANAGER: Final = ":secretsmanager:"
_PARTS_OF_ARN: Final = 7
"""Of a secret's own; a key of its JSON, a label and a version may follow."""


class Unreadable(Exception):
    """A value cannot be had; the text is why, as a task's stoppedReason gives it."""


@dataclass(kw_only=True)
class SecretValues:
    """Reads values as the execution role would; it may read everything."""

    secrets: SecretsApi
    parameters: ParametersApi

    def read(self, value_from: str) -> str:
        """The value that `valueFrom` of a container's secret names.

        Raises:
            Unreadable: it is not there, or not what it should be.
        """
        if value_from.startswith("arn:") and _SECRETS_MANAGER in value_from:
            return self._secret(value_from)
        parameter = self.parameters.find(value_from)
        if parameter is None:
            problem = f"{_PREFIX}unable to retrieve secrets from ssm: {_RETRIED}: "
            raise Unreadable(f"{problem}invalid ssm parameters: {value_from}")
        return parameter.value

    def require_registry_login(self, secret: str) -> None:
        """Make sure of a secret with the `username` and `password` of a registry.

        Raises:
            Unreadable: there is none.
        """
        problem = f"{_PREFIX}unable to get registry auth from asm: {_RETRIED}: "
        try:
            found = self.secrets.get({"SecretId": secret})
        except AwsError as cause:
            reason = f"asm fetching secret from the service for {secret}: {cause.code}: {cause.message}"
            raise Unreadable(problem + reason) from cause
        login = _json_object(found)
        if login is None or not all(isinstance(login.get(each), str) for each in ("username", "password")):
            raise Unreadable(f"{problem}asm secret {secret} is not an object with username and password")

    def _secret(self, value_from: str) -> str:
        problem = f"{_PREFIX}unable to retrieve secret from asm: {_RETRIED}: "
        parts = value_from.split(":")
        arn = ":".join(parts[:_PARTS_OF_ARN])
        key, stage, version = (*parts[_PARTS_OF_ARN:], "", "", "")[:3]
        request = {"SecretId": arn, "VersionStage": stage, "VersionId": version}
        try:
            found = self.secrets.get({name: value for name, value in request.items() if value})
        except AwsError as cause:
            reason = f"failed to fetch secret {arn} from secrets manager: {cause.code}: {cause.message}"
            raise Unreadable(problem + reason) from cause
        if "SecretString" not in found:
            raise Unreadable(f"{problem}secret {arn} holds no SecretString")
        return _member(found, key, problem=problem) if key else str(found["SecretString"])


def _member(found: Json, key: str, *, problem: str) -> str:
    value = _json_object(found)
    if value is None:
        raise Unreadable(f"{problem}retrieved secret from Secrets Manager is not a JSON object")
    if key not in value:
        raise Unreadable(f"{problem}retrieved secret from Secrets Manager did not contain json key {key}")
    member = value[key]
    return member if isinstance(member, str) else json.dumps(member)


def _json_object(found: Json) -> Json | None:
    try:
        value = json.loads(found.get("SecretString", ""))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
