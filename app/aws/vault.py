"""Entries in AWS Secrets Manager (app.ports.vault.Vault).

https://docs.aws.amazon.com/secretsmanager/latest/apireference/
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from app.aws.connection import Connection
from app.aws.limiter import Lane, Limiter
from app.aws.paced import paced
from app.aws.translate import MANAGED_BY
from app.model.wire import Json
from app.ports.failures import Conflict, NotFound, Refused, Unavailable
from app.ports.vault import Kept, Vault

LARGEST: Final = 65_536
"""Bytes in one secret: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html."""

_ATTEMPTS: Final = 3
_PAGE: Final = 100


class SecretsManagerVault(Vault):
    """CreateSecret, GetSecretValue, ListSecrets and DeleteSecret under names that begin with one prefix."""

    def __init__(self, connection: Connection, *, limiter: Limiter, prefix: str) -> None:
        """`prefix` is what `kept` lists; `keep` takes every name."""
        self._connection = connection
        self._limiter = limiter
        self._prefix = prefix

    async def keep(self, name: str, content: Mapping[str, str]) -> str:
        """CreateSecret. The token follows from the name, so that a repetition finds what a lost answer made.

        Raises:
            Refused: the content exceeds 65,536 bytes, or permission is missing.
            Unavailable: an entry of this name is about to be deleted.
        """
        text = msgspec.json.encode(dict(content))
        if len(text) > LARGEST:
            raise Refused(f"{name} has {len(text)} bytes; Secrets Manager takes {LARGEST}")
        try:
            answer = await self._ask(
                Lane.VAULT,
                "create_secret",
                Name=name,
                ClientRequestToken=hashlib.sha256(name.encode()).hexdigest(),
                SecretString=text.decode(),
                Tags=[{"Key": MANAGED_BY, "Value": "spillway"}],
            )
        except Conflict:
            return await self._existing(name)
        return _arn(answer)

    async def _existing(self, name: str) -> str:
        """The entry that has the name, called back where its deletion is scheduled."""
        try:
            found = await self._ask(Lane.VAULT_READ, "describe_secret", SecretId=name)
            if found.get("DeletedDate") is not None:
                found = await self._ask(Lane.VAULT, "restore_secret", SecretId=_arn(found))
        except NotFound as failure:
            raise Unavailable(f"{name} is being deleted; it is stored anew after that") from failure
        return _arn(found)

    async def read(self, arn: str) -> dict[str, str]:
        """GetSecretValue. Raises NotFound; Refused where it is not an object of texts."""
        answer = await self._ask(Lane.VAULT_READ, "get_secret_value", SecretId=arn)
        try:
            return msgspec.json.decode(answer.get("SecretString", ""), type=dict[str, str])
        except msgspec.MsgspecError:
            # The decoder's own words quote what it read.
            raise Refused(f"{arn} is not a JSON object of texts; delete it, it is made anew") from None

    async def kept(self) -> tuple[Kept, ...]:
        """ListSecrets, page by page; a failure of any page is a failure of all."""
        found: list[Kept] = []
        following: dict[str, Json] = {}
        while True:
            answer = await self._ask(
                Lane.VAULT_READ,
                "list_secrets",
                Filters=[{"Key": "name", "Values": [self._prefix]}],
                MaxResults=_PAGE,
                **following,
            )
            found += [_kept(each) for each in answer.get("SecretList", ())]
            if not answer.get("NextToken"):
                return tuple(each for each in found if each.name.startswith(self._prefix))
            following = {"NextToken": answer["NextToken"]}

    async def forget(self, arn: str) -> None:
        """DeleteSecret without a recovery window; gone, or being deleted, is success."""
        try:
            await self._ask(Lane.VAULT, "delete_secret", SecretId=arn, ForceDeleteWithoutRecovery=True)
        except (NotFound, Conflict):
            return

    async def _ask(self, lane: Lane, operation: str, **parameters: Json) -> dict[str, Json]:
        channel = await self._connection.channel("secretsmanager")
        return await paced(channel, self._limiter, lane, operation, attempts=_ATTEMPTS, **parameters)


def _arn(answer: Mapping[str, Json]) -> str:
    arn = answer.get("ARN")
    if not arn:
        raise Unavailable("Secrets Manager answered without the secret's ARN")
    return str(arn)


def _kept(entry: Mapping[str, Json]) -> Kept:
    created = entry.get("CreatedDate")
    if not isinstance(created, datetime):
        raise Unavailable("Secrets Manager listed a secret without its date of creation")
    return Kept(name=str(entry.get("Name", "")), arn=_arn(entry), created_at=created.astimezone(UTC))
