"""Which pods ask for a machine that no virtual node is: another architecture or operating system.

Between linux/amd64 and linux/arm64 the scheduler chooses by the nodes' labels.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.model.affinity import Requirement, required_terms
from app.model.names import ARCH_LABEL, OS_LABEL
from app.model.reason import Reason
from app.model.wire import Json

_ARCHITECTURES: Final = frozenset({"amd64", "arm64"})
_SYSTEMS: Final = frozenset({"linux"})
_OURS: Final[Mapping[str, frozenset[str]]] = {
    ARCH_LABEL: _ARCHITECTURES,
    OS_LABEL: _SYSTEMS,
    "beta.kubernetes.io/arch": _ARCHITECTURES,
    "beta.kubernetes.io/os": _SYSTEMS,
}
_MEND: Final = "tasks run on linux/amd64 and linux/arm64 only; change it"


def selector(wanted: dict[str, str], path: str) -> Iterable[Reason]:
    """The entries of a nodeSelector that no virtual node meets."""
    for label, value in wanted.items():
        if value not in _OURS.get(label, {value}):
            yield Reason("Platform", _MEND, f"{path}[{label}]")


def affinity(wanted: Json, path: str) -> Iterable[Reason]:
    """Whether every term of the required node affinity names another platform; the rest is the scheduler's.

    https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity
    """
    try:
        terms = required_terms(wanted)
    except msgspec.ValidationError as error:
        yield Reason("InvalidAffinity", f"{error}; correct the affinity", path)
        return
    if terms and not any(all(map(_meets, term.match_expressions)) for term in terms):
        yield Reason("Platform", _MEND, f"{path}.nodeAffinity")


def _meets(requirement: Requirement) -> bool:
    """Whether one of the platforms meets the requirement; each is judged alone."""
    ours = _OURS.get(requirement.key)
    if ours is None:
        return True
    values = frozenset(requirement.values)
    answers = {"In": bool(ours & values), "NotIn": bool(ours - values), "Exists": True}
    return answers.get(requirement.operator, False)


def system(wanted: Json, path: str) -> Iterable[Reason]:
    """Whether `spec.os` names another operating system."""
    name = wanted.get("name") if isinstance(wanted, dict) else wanted
    if name not in (None, "", "linux"):
        yield Reason("Platform", _MEND, f"{path}.name")
