"""Policy documents: how one is written, and when two say the same. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from app.model.wire import Json

_VERSION: Final = "2012-10-17"


def document(*statements: Json) -> Json:
    """A policy of these statements; None stands for one that is not needed."""
    return {"Version": _VERSION, "Statement": [each for each in statements if each is not None]}


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    *,
    condition: Mapping[str, Mapping[str, Json]] | None = None,
) -> Json:
    """A statement that allows something."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(resources),
        **({"Condition": condition} if condition else {}),
    }


def trust(
    principal: Mapping[str, str],
    *actions: str,
    condition: Mapping[str, Mapping[str, Json]] | None = None,
) -> Json:
    """A trust policy of one statement."""
    return document(
        {
            "Effect": "Allow",
            "Principal": dict(principal),
            "Action": list(actions),
            **({"Condition": condition} if condition else {}),
        }
    )


def canonical(policy: Json) -> Json:
    """The one form of a policy: AWS and its tools sort lists and write a list of one as a bare text."""
    statements = _many(policy.get("Statement", [])) if isinstance(policy, Mapping) else []
    plain = [_statement(each) for each in statements if isinstance(each, Mapping)]
    return sorted(plain, key=lambda each: json.dumps(each, sort_keys=True))


def _statement(statement: Mapping[str, Json]) -> Json:
    nested = ("Condition", "Principal")
    return {
        key: value if key in {"Sid", "Effect"} else _nested(value) if key in nested else _texts(value)
        for key, value in statement.items()
        if not (key == "Sid" and not value)
    }


def _nested(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _nested(each) for key, each in value.items()}
    return _texts(value)


def _texts(value: Json) -> list[str]:
    return sorted(str(each) for each in _many(value))


def _many(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list | tuple) else [value]
