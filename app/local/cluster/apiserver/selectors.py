"""Label and field selectors: the query strings of lists and watches, and the objects inside configurations.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from app.local.cluster.apiserver.errors import bad_request
from app.local.cluster.apiserver.objects import Object

Predicate = Callable[[Object], bool]
_TOKEN: Final = re.compile(r"\s*(==|!=|=|!|,|\(|\)|[^\s=!,()]+)")
_COMMON: Final = {"metadata.name": ("metadata", "name"), "metadata.namespace": ("metadata", "namespace")}
_POD_FIELDS: Final = (
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
)
_EVENT_FIELDS: Final = (
    *(
        f"involvedObject.{each}"
        for each in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    ),
    "reason",
    "reportingComponent",
    "source",
    "type",
)
_FIELDS: Final = {
    "pods": _POD_FIELDS,
    "events": _EVENT_FIELDS,
    "nodes": ("spec.unschedulable",),
    "certificatesigningrequests": ("spec.signerName",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "jobs": ("status.successful",),
    "replicasets": ("status.replicas",),
}


def matcher(resource: str, *, labels: str = "", fields: str = "") -> Predicate | None:
    """Whether an object is selected; None where everything is.

    Raises:
        ApiError: 400 for a selector that cannot be read, or a field that cannot be selected by.
    """
    label_tests = _label_tests(labels)
    field_tests = _field_tests(resource, fields)
    if not label_tests and not field_tests:
        return None

    def selected(obj: Object) -> bool:
        own = obj["metadata"].get("labels") or {}
        return all(test(own) for test in label_tests) and all(test(obj) for test in field_tests)

    return selected


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a metav1.LabelSelector selects these labels; an empty one selects everything, None nothing."""
    if selector is None:
        return False
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(each, labels) for each in selector.get("matchExpressions") or [])


def _expression(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case other:
            raise bad_request(f'"{other}" is not a valid label selector operator')


LabelTest = Callable[[Mapping[str, str]], bool]


def _label_tests(text: str) -> list[LabelTest]:
    tokens = _TOKEN.findall(text)
    tests: list[LabelTest] = []
    position = 0
    while position < len(tokens):
        test, position = _requirement(tokens, position)
        tests.append(test)
        if position < len(tokens):
            if tokens[position] != "," or position + 1 == len(tokens):
                raise bad_request(
                    f"unable to parse requirement: found '{tokens[position]}', "
                    "expected: ',' or 'end of string'"
                )
            position += 1
    return tests


def _requirement(tokens: list[str], position: int) -> tuple[LabelTest, int]:
    if tokens[position] == "!":
        absent = _word(tokens, position + 1)
        return (lambda labels: absent not in labels), position + 2
    key = _word(tokens, position)
    operator = tokens[position + 1] if position + 1 < len(tokens) else ","
    match operator:
        case ",":
            return (lambda labels: key in labels), position + 1
        case "=" | "==" | "!=":
            value, after = _value(tokens, position + 2)
            wanted = operator != "!="
            return (lambda labels: (labels.get(key) == value) is wanted), after
        case "in" | "notin":
            values, after = _values(tokens, position + 2)
            inside = operator == "in"
            return (lambda labels: (labels.get(key) in values) is inside), after
        case other:
            raise bad_request(
                f"unable to parse requirement: found '{other}', expected: in, notin, =, ==, !=, gt, lt"
            )


def _word(tokens: list[str], position: int) -> str:
    found = tokens[position] if position < len(tokens) else ""
    if not found or found in {"=", "==", "!=", ",", "(", ")", "!"}:
        raise bad_request(
            f"unable to parse requirement: found '{found}', expected: !, identifier, or 'end of string'"
        )
    return found


def _value(tokens: list[str], position: int) -> tuple[str, int]:
    if position >= len(tokens) or tokens[position] == ",":
        return "", position
    return _word(tokens, position), position + 1


def _values(tokens: list[str], position: int) -> tuple[frozenset[str], int]:
    opened = tokens[position] if position < len(tokens) else ""
    if opened != "(":
        raise bad_request(f"unable to parse requirement: found '{opened}' expected: '('")
    if ")" not in tokens[position:]:
        raise bad_request("unable to parse requirement: found '', expected: ',' or ')'")
    end = tokens.index(")", position)
    return frozenset(each for each in tokens[position + 1 : end] if each != ","), end + 1


def _field_tests(resource: str, text: str) -> list[Predicate]:
    return [_field_test(resource, term) for term in text.split(",") if term]


def _field_test(resource: str, term: str) -> Predicate:
    match = re.fullmatch(r"([^=!]+)(==|!=|=)(.*)", term)
    if match is None:
        raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
    name, operator, value = match.groups()
    if name not in _COMMON and name not in _FIELDS.get(resource, ()):
        raise bad_request(f"field label not supported: {name}")
    path = ("source", "component") if name == "source" else tuple(name.split("."))
    wanted = operator != "!="
    return lambda obj: (_text_at(obj, path) == value) is wanted


def _text_at(obj: Object, path: tuple[str, ...]) -> str:
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
