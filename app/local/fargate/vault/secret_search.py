"""ListSecrets: filters, order, and what a listing shows. Pure.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Filter.html
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from app.local.fargate.protocol.wire import Json
from app.local.fargate.vault.secret_store import Secret

_WORDS: Final = re.compile(r"[\s/_+=.@-]+")


def found(secrets: Iterable[Secret], params: Json) -> Sequence[Secret]:
    """The secrets that a request wants, in its order."""
    filters = params.get("Filters", ())
    wanted = [
        each
        for each in secrets
        if (each.deleted is None or params.get("IncludePlannedDeletion")) and _passes(each, filters)
    ]
    if params.get("SortBy") == "name":
        wanted.sort(key=lambda each: each.name)
    elif params.get("SortBy") == "last-changed-date":
        wanted.sort(key=lambda each: each.changed)
    if params.get("SortOrder") == "desc":
        wanted.reverse()
    return wanted


def _passes(secret: Secret, filters: Iterable[Json]) -> bool:
    return all(_matches(secret, each.get("Key", "all"), each.get("Values", ())) for each in filters)


def _matches(secret: Secret, key: str, values: Sequence[str]) -> bool:
    """Any of the values, of which one with `!` in front means that it must not be so."""
    texts = _TEXTS[key](secret)
    if key != "name":
        texts, values = [each.lower() for each in texts], [each.lower() for each in values]
    if key == "all":
        texts = [word for each in texts for word in (each, *_WORDS.split(each))]
    return any(_holds(texts, each) for each in values)


def _holds(texts: Iterable[str], value: str) -> bool:
    if value.startswith("!"):
        return not any(each.startswith(value[1:]) for each in texts)
    return any(each.startswith(value) for each in texts)


def _tag_keys(secret: Secret) -> list[str]:
    return [each["Key"] for each in secret.tags]


def _tag_values(secret: Secret) -> list[str]:
    return [each.get("Value", "") for each in secret.tags]


_TEXTS: Final[Mapping[str, Callable[[Secret], list[str]]]] = {
    "name": lambda each: [each.name],
    "description": lambda each: [each.description],
    "tag-key": _tag_keys,
    "tag-value": _tag_values,
    "primary-region": lambda _: [],
    "owning-service": lambda _: [],
    "all": lambda each: [each.name, each.description, *_tag_keys(each), *_tag_values(each)],
}


def described(secret: Secret) -> Json:
    """What DescribeSecret shows; never a value.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
    """
    view: Json = {
        "ARN": secret.arn,
        "Name": secret.name,
        "Tags": secret.tags,
        "CreatedDate": secret.created,
        "LastChangedDate": secret.changed,
    }
    optional = {
        "Description": secret.description,
        "KmsKeyId": secret.kms_key,
        "LastAccessedDate": secret.accessed,
        "DeletedDate": secret.deleted,
    }
    return view | {name: value for name, value in optional.items() if value}
