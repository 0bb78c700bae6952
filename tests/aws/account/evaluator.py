"""IAM's decision about one request, by the inline policies of its role alone.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

Policy = Mapping[str, Any]


def decision(policies: Iterable[Policy], action: str, resource: str, context: Mapping[str, str]) -> str:
    """`allowed`, `implicitDeny` or `explicitDeny`."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in policy["Statement"]
        if _applies(statement, action, resource, context)
    }
    if "Deny" in effects:
        return "explicitDeny"
    return "allowed" if "Allow" in effects else "implicitDeny"


def _applies(statement: Policy, action: str, resource: str, context: Mapping[str, str]) -> bool:
    return (
        any(fnmatchcase(action.lower(), each.lower()) for each in _many(statement["Action"]))
        and any(fnmatchcase(resource, each) for each in _many(statement["Resource"]))
        and all(_holds(name, keys, context) for name, keys in statement.get("Condition", {}).items())
    )


def _holds(operator: str, keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    match operator:
        case "StringEquals" | "ArnEquals":
            return all(context.get(key) in _many(values) for key, values in keys.items())
        case "ArnLike":
            return all(
                any(fnmatchcase(context.get(key, ""), each) for each in _many(values))
                for key, values in keys.items()
            )
        case _:
            raise NotImplementedError(operator)


def _many(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
