"""Secrets and their versions: what Secrets Manager keeps.

https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.local.fargate.protocol.errors import AwsError
from app.local.fargate.protocol.wire import Json

CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"

_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}")


def not_found(what: str = "secret") -> AwsError:
    """ResourceNotFoundException."""
    return AwsError("ResourceNotFoundException", f"Secrets Manager can't find the specified {what}.")


@dataclass(frozen=True, kw_only=True)
class Value:
    """A secret's value: `text`, or `binary` in base64. It never shows itself."""

    text: str | None = field(default=None, repr=False)
    binary: str | None = field(default=None, repr=False)


@dataclass(slots=True, kw_only=True)
class Version:
    """One value that a secret had; `stages` are its staging labels."""

    id: str
    value: Value
    created: float
    stages: set[str]


@dataclass(slots=True, kw_only=True)
class Secret:
    """One secret. Times are epoch seconds; `deleted` and `expires` where its deletion is scheduled."""

    arn: str
    name: str
    description: str
    kms_key: str
    tags: list[Json]
    created: float
    changed: float
    versions: dict[str, Version] = field(default_factory=dict)
    accessed: float | None = None
    deleted: float | None = None
    expires: float | None = None

    @property
    def stages(self) -> dict[str, list[str]]:
        """Version id → its labels, for versions that have any."""
        return {each.id: sorted(each.stages) for each in self.versions.values() if each.stages}

    def labelled(self, stage: str) -> Version | None:
        """The version with a staging label."""
        return next((each for each in self.versions.values() if stage in each.stages), None)

    def add(self, version: Version) -> None:
        """Take up a version; its labels leave the others, and what was current becomes the previous one."""
        before = self.labelled(CURRENT)
        if CURRENT in version.stages and before is not None:
            for each in self.versions.values():
                each.stages.discard(PREVIOUS)
            before.stages.add(PREVIOUS)
        for each in self.versions.values():
            each.stages -= version.stages
        self.versions[version.id] = version
        self.changed = version.created


class SecretStore:
    """All secrets of one account and region, in the order of their creation."""

    def __init__(self) -> None:
        self._secrets: dict[str, Secret] = {}

    def all(self, *, now: float) -> Sequence[Secret]:
        """Every secret, those that are scheduled for deletion too."""
        self._expire(now)
        return list(self._secrets.values())

    def named(self, name: str, *, now: float) -> Secret | None:
        """The secret of a name."""
        self._expire(now)
        return self._secrets.get(name)

    def find(self, secret_id: str, *, now: float) -> Secret:
        """The secret of a name or an ARN, which may lack its random end.

        Raises:
            AwsError: there is none.
        """
        self._expire(now)
        found = next((each for each in self._secrets.values() if _is_called(each, secret_id)), None)
        if found is None:
            raise not_found()
        return found

    def add(self, secret: Secret) -> None:
        """Take up a secret."""
        self._secrets[secret.name] = secret

    def remove(self, names: Iterable[str]) -> None:
        """Forget secrets."""
        for name in names:
            self._secrets.pop(name, None)

    def _expire(self, now: float) -> None:
        over = [
            name for name, each in self._secrets.items() if each.expires is not None and each.expires <= now
        ]
        self.remove(over)


def _is_called(secret: Secret, secret_id: str) -> bool:
    if secret_id in {secret.name, secret.arn}:
        return True
    rest = secret.arn.removeprefix(secret_id)
    return secret_id.startswith("arn:") and rest != secret.arn and bool(_SUFFIX.fullmatch(rest))
