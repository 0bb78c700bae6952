"""Secrets Manager: the operations on secrets.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.local.fargate.config import FargateConfig
from app.local.fargate.protocol import pages
from app.local.fargate.protocol.errors import AwsError, invalid
from app.local.fargate.protocol.wire import Json
from app.local.fargate.vault import secret_search
from app.local.fargate.vault.secret_store import CURRENT, Secret, SecretStore, Value, Version, not_found
from app.ports.clock import Clock

_NAME: Final = re.compile(r"[A-Za-z0-9/_+=.@!-]{1,512}")
_MOST_BYTES: Final = 65_536
_MOST_TAGS: Final = 50
_RECOVERY_DAYS: Final = range(7, 31)
_DEFAULT_RECOVERY: Final = 30
_DAY: Final = 86_400.0


def _unusable(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)


def _exists(message: str) -> AwsError:
    return AwsError("ResourceExistsException", message)


@dataclass(kw_only=True)
class SecretsApi:
    """Answers requests that satisfy the service model. `ids` makes what is random in an ARN."""

    config: FargateConfig
    store: SecretStore
    clock: Clock
    ids: Callable[[], str]

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that this part answers."""
        return {
            "CreateSecret": self.create,
            "DescribeSecret": self.describe,
            "GetSecretValue": self.get,
            "PutSecretValue": self.put,
            "ListSecrets": self.list_secrets,
            "DeleteSecret": self.delete,
            "RestoreSecret": self.restore,
        }

    def create(self, params: Json) -> Json:
        """Create a secret; the same request with the same token is answered as before."""
        name, value = params["Name"], _value(params)
        if not _NAME.fullmatch(name):
            raise AwsError(
                "ValidationException",
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
                "following: -/_+=.@!",
            )
        _require_tags(params.get("Tags", ()))
        existing = self.store.named(name, now=self._now())
        if existing is not None:
            return _again(existing, params, value)
        secret = self._new(params)
        self.store.add(secret)
        if value is None:
            return {"ARN": secret.arn, "Name": name}
        version = self._add(secret, value, token=_token(params), stages={CURRENT})
        return {"ARN": secret.arn, "Name": name, "VersionId": version.id}

    def describe(self, params: Json) -> Json:
        """Everything but the values."""
        secret = self.store.find(params["SecretId"], now=self._now())
        return secret_search.described(secret) | {"VersionIdsToStages": secret.stages}

    def get(self, params: Json) -> Json:
        """The value of a version: the one named, the one labelled, or the current one."""
        secret = self._usable(params["SecretId"])
        version = version_of(secret, id=params.get("VersionId", ""), stage=params.get("VersionStage", ""))
        secret.accessed = self._now() // _DAY * _DAY
        view = {"SecretString": version.value.text, "SecretBinary": version.value.binary}
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": version.id,
            "VersionStages": sorted(version.stages),
            "CreatedDate": version.created,
            **{name: value for name, value in view.items() if value is not None},
        }

    def put(self, params: Json) -> Json:
        """Add a version; the same value with the same token is answered as before."""
        secret = self._usable(params["SecretId"])
        value, token = _value(params), _token(params)
        if value is None:
            raise invalid("You must provide either SecretString or SecretBinary.")
        version = secret.versions.get(token)
        if version is None:
            stages = set(params.get("VersionStages", (CURRENT,)))
            version = self._add(secret, value, token=token, stages=stages)
        elif version.value != value:
            raise _exists(
                "You can't use ClientRequestToken "
                f"{token} because that value is already in use for a version of secret {secret.arn}."
            )
        answer = {"ARN": secret.arn, "Name": secret.name, "VersionId": version.id}
        return answer | {"VersionStages": sorted(version.stages)}

    def list_secrets(self, params: Json) -> Json:
        """One page of the secrets that pass every filter."""
        secrets = {each.arn: each for each in secret_search.found(self.store.all(now=self._now()), params)}
        wanted = {"maxResults": params.get("MaxResults", 100), "nextToken": params.get("NextToken")}
        try:
            page = pages.page(tuple(secrets), wanted, member="arns")
        except AwsError as cause:
            raise AwsError("InvalidNextTokenException", "Invalid NextToken provided.") from cause
        listed = [
            secret_search.described(secrets[arn]) | {"SecretVersionsToStages": secrets[arn].stages}
            for arn in page["arns"]
        ]
        return {"SecretList": listed} | ({"NextToken": page["nextToken"]} if "nextToken" in page else {})

    def delete(self, params: Json) -> Json:
        """Schedule a deletion, or carry it out at once; what is not there can be forced away too."""
        force, days = params.get("ForceDeleteWithoutRecovery", False), params.get("RecoveryWindowInDays")
        if force and days is not None:
            raise invalid(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
            )
        if days is not None and days not in _RECOVERY_DAYS:
            raise invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
        now = self._now()
        if force:
            return self._destroy(params["SecretId"], now=now)
        secret = self.store.find(params["SecretId"], now=now)
        if secret.deleted is not None:
            raise _unusable("You tried to perform the operation on a secret that's currently marked deleted.")
        secret.deleted, secret.expires = now, now + (days or _DEFAULT_RECOVERY) * _DAY
        return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": secret.expires}

    def restore(self, params: Json) -> Json:
        """Call a scheduled deletion off."""
        secret = self.store.find(params["SecretId"], now=self._now())
        secret.deleted = secret.expires = None
        return {"ARN": secret.arn, "Name": secret.name}

    def _destroy(self, secret_id: str, *, now: float) -> Json:
        try:
            secret = self.store.find(secret_id, now=now)
        except AwsError:
            name = secret_id.rsplit(":", 1)[-1]
            return {"ARN": self._arn(name), "Name": name, "DeletionDate": now}
        self.store.remove([secret.name])
        return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": now}

    def _usable(self, secret_id: str) -> Secret:
        secret = self.store.find(secret_id, now=self._now())
        if secret.deleted is not None:
            raise _unusable(
                "You can't perform this operation on the secret because it was marked for deletion."
            )
        return secret

    def _new(self, params: Json) -> Secret:
        return Secret(
            arn=self._arn(params["Name"]),
            name=params["Name"],
            description=params.get("Description", ""),
            kms_key=params.get("KmsKeyId", ""),
            tags=list(params.get("Tags", ())),
            created=self._now(),
            changed=self._now(),
        )

    def _add(self, secret: Secret, value: Value, *, token: str, stages: set[str]) -> Version:
        version = Version(id=token, value=value, created=self._now(), stages=stages)
        secret.add(version)
        return version

    def _arn(self, name: str) -> str:
        return self.config.arn(f"secret:{name}-{self.ids()[-6:]}", service="secretsmanager")

    def _now(self) -> float:
        return round(self.clock.now().timestamp(), 3)


def version_of(secret: Secret, *, id: str = "", stage: str = "") -> Version:  # noqa: A002  (AWS's word)
    """The version with an id, a label, or both; the current one without either.

    Raises:
        AwsError: there is none.
    """
    version = secret.versions.get(id) if id else secret.labelled(stage or CURRENT)
    if version is None:
        raise not_found(
            f"secret value for VersionId: {id}"
            if id
            else f"secret value for staging label: {stage or CURRENT}"
        )
    if stage and stage not in version.stages:
        raise _unusable(
            f"You provided a VersionStage that is not associated to the provided VersionId: {id}."
        )
    return version


def _again(existing: Secret, params: Json, value: Value | None) -> Json:
    """The answer to CreateSecret where the name is taken."""
    if existing.deleted is not None:
        raise _unusable(
            "You can't create this secret because a secret with this name is already scheduled for deletion."
        )
    version = existing.versions.get(params.get("ClientRequestToken", ""))
    if version is None or version.value != value:
        raise _exists(f"The operation failed because the secret {existing.name} already exists.")
    return {"ARN": existing.arn, "Name": existing.name, "VersionId": version.id}


def _token(params: Json) -> str:
    token: str | None = params.get("ClientRequestToken")
    if token is None:
        raise invalid("You must provide a ClientRequestToken value. We recommend a UUID-type value.")
    return token


def _value(params: Json) -> Value | None:
    text, binary = params.get("SecretString"), params.get("SecretBinary")
    if text is not None and binary is not None:
        raise invalid(
            "You can't specify both a binary secret value and a string secret value in the same secret."
        )
    if text is not None and len(text.encode()) > _MOST_BYTES:
        raise _too_long("secretString")
    if binary is not None and not 1 <= _length(binary) <= _MOST_BYTES:
        raise _too_long("secretBinary")
    return Value(text=text, binary=binary) if text is not None or binary is not None else None


def _length(binary: str) -> int:
    try:
        return len(base64.b64decode(binary, validate=True))
    except binascii.Error as cause:
        raise AwsError("SerializationException", "SecretBinary is not base64.") from cause


def _too_long(member: str) -> AwsError:
    return AwsError(
        "ValidationException",
        f"1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have "
        f"length between 1 and {_MOST_BYTES}",
    )


def _require_tags(tags: list[Json]) -> None:
    keys = [each.get("Key", "") for each in tags]
    if len(keys) > _MOST_TAGS:
        raise invalid(f"A secret can have at most {_MOST_TAGS} tags.")
    if len(set(keys)) < len(keys):
        raise invalid("Tag keys must be unique.")
    if any(each.lower().startswith("aws:") for each in keys):
        raise invalid("Tag keys must not begin with aws:.")
