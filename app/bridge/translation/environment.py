"""A container's environment and command line, resolved before launch as a kubelet resolves them."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from app.model.container import Container, EnvVar
from app.model.pod import Pod
from app.model.reason import Reason


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """The final words of one container: `command` and `args` as in the pod, with variables expanded.

    Attributes:
        own: the variables whose values are this pod's alone (its name, its uid, …); the others are its
            template's.
        own_command: whether command or args hold such a value.
    """

    environment: dict[str, str]
    command: tuple[str, ...]
    args: tuple[str, ...]
    own: frozenset[str] = frozenset()
    own_command: bool = False


def resolve(container: Container, *, pod: Pod, field: str) -> Resolved | tuple[Reason, ...]:
    """The container's environment, command and args, or every variable that cannot be known before launch.

    Later variables see earlier ones; the last of two with one name wins; an unknown `$(NAME)` stays as it is.
    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    values: dict[str, str] = {}
    own: set[str] = set()
    reasons: list[Reason] = []
    for index, variable in enumerate(container.env):
        value = _value_of(variable, pod=pod, known=values, field=f"{field}.env[{index}]")
        if isinstance(value, Reason):
            reasons.append(value)
            continue
        is_own = variable.value_from is not None or _depends([variable.value], values, on=own)
        (own.add if is_own else own.discard)(variable.name)
        values[variable.name] = value
    if reasons:
        return tuple(reasons)
    return Resolved(
        environment=values,
        command=_expanded(container.command, values),
        args=_expanded(container.args, values),
        own=frozenset(own),
        own_command=_depends([*container.command, *container.args], values, on=own),
    )


def _depends(words: Sequence[str], known: Mapping[str, str], *, on: Collection[str]) -> bool:
    """Whether some word would read otherwise without those variables."""
    others = {name: value for name, value in known.items() if name not in on}
    return any(expand(word, known) != expand(word, others) for word in words)


def _value_of(variable: EnvVar, *, pod: Pod, known: Mapping[str, str], field: str) -> str | Reason:
    source = variable.value_from
    if source is None:
        return expand(variable.value, known)
    if source.field_ref is not None:
        path = source.field_ref.field_path
        value = field_value(pod, path)
        if value is not None:
            return value
        return Reason(
            "FieldUnknownBeforeLaunch",
            f"{path} is not known before the task runs; set the variable another way",
            f"{field}.valueFrom.fieldRef",
        )
    return Reason(
        "EnvironmentSource",
        f"variable {variable.name} comes from a source that cannot be read before launch; give it a value",
        f"{field}.valueFrom",
    )


def _expanded(words: Sequence[str], known: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(expand(word, known) for word in words)


def expand(text: str, known: Mapping[str, str]) -> str:
    """`text` with each `$(NAME)` that is known replaced; `$$` stands for one dollar sign."""
    parts: list[str] = []
    position = 0
    while position < len(text):
        part, position = _next_part(text, position, known)
        parts.append(part)
    return "".join(parts)


def _next_part(text: str, start: int, known: Mapping[str, str]) -> tuple[str, int]:
    dollar = text.find("$", start)
    if dollar < 0:
        return text[start:], len(text)
    if dollar > start:
        return text[start:dollar], dollar
    follower = text[dollar + 1 : dollar + 2]
    if follower == "$":
        return "$", dollar + 2
    if follower == "(":
        end = text.find(")", dollar)
        if end >= 0:
            name = text[dollar + 2 : end]
            return known.get(name, f"$({name})"), end + 1
    return f"${follower}", dollar + 1 + len(follower)


def field_value(pod: Pod, path: str) -> str | None:
    """The downward API's value of a field; None for one that is unknown before launch.

    https://kubernetes.io/docs/concepts/workloads/pods/downward-api/#downwardapi-fieldRef
    """
    plain = {
        "metadata.name": pod.metadata.name,
        "metadata.namespace": pod.metadata.namespace,
        "metadata.uid": str(pod.metadata.uid),
        "spec.nodeName": pod.spec.node_name,
        "spec.serviceAccountName": pod.spec.service_account_name,
    }
    if path in plain:
        return plain[path]
    for prefix, mapping in (
        ("metadata.labels['", pod.metadata.labels),
        ("metadata.annotations['", pod.metadata.annotations),
    ):
        if path.startswith(prefix) and path.endswith("']"):
            return mapping.get(path.removeprefix(prefix).removesuffix("']"), "")
    return None
