"""Keys of ours that nobody reads: misspelt, or on the wrong kind of object. Each with the key that was meant.

Kubernetes stores any key, and a misspelt budget is no budget: whoever wrote it must be told.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from app.model import names
from app.model.meta import ObjectMeta
from app.model.names import EARLY, EARLY_ALLOWED, ENABLED, OVERFLOW, PERMITTED
from app.model.reason import Reason

DOMAIN: Final = "spillway.dev/"

_POD_LABELS: Final = frozenset({OVERFLOW})
_POD_ANNOTATIONS: Final = frozenset({names.MAX_WAIT, names.EARLY, names.CAPACITY})
_NAMESPACE_LABELS: Final = frozenset({OVERFLOW})
_NAMESPACE_ANNOTATIONS: Final = frozenset(
    {
        names.MAX_PODS,
        names.MAX_VCPU,
        names.MAX_HOURLY_COST,
        names.ALLOWED_ROLES,
        names.SECURITY_GROUPS,
        names.NETWORK_POLICIES,
    }
)
_OURS_ON_PODS: Final = names.OF_ATTEMPTS | {names.PLACEHOLDER_FOR, names.PLACEHOLDER_OF}
"""What our programs write themselves; a copy of a pod has it, too."""

_SHOWN: Final = 80
"""Characters that are quoted of what somebody wrote."""
_MOST: Final = 8
"""Keys of one object that are told of."""


_Places = Mapping[str, tuple[str, frozenset[str]]]
"""By kind of key, whose it is, and which keys are read there."""

_ON_PODS: Final[_Places] = {"label": ("pod", _POD_LABELS), "annotation": ("pod", _POD_ANNOTATIONS)}
_ON_NAMESPACES: Final[_Places] = {
    "label": ("namespace", _NAMESPACE_LABELS),
    "annotation": ("namespace", _NAMESPACE_ANNOTATIONS),
}
_CLOSE: Final = 0.75
"""How alike two keys are, from 0 to 1, of which one may be meant by the other."""


def unread_on_pod(metadata: ObjectMeta) -> tuple[Reason, ...]:
    """An annotation that means nothing, and the keys of ours on a pod that nobody reads, `_MOST` at most.

    What keeps the pod off Fargate is not among it: those annotations are refused where they are read.
    """
    keys = tuple(_unread(metadata, _ON_PODS, elsewhere=_ON_NAMESPACES))[:_MOST]
    return (*_meaningless_early(metadata), *keys)


def unread_on_namespace(metadata: ObjectMeta) -> tuple[Reason, ...]:
    """A label that means nothing, and the keys of ours on a namespace that nobody reads, `_MOST` at most."""
    keys = tuple(_unread(metadata, _ON_NAMESPACES, elsewhere=_ON_PODS))[:_MOST]
    return (*_meaningless_label(metadata), *keys)


def _meaningless_label(metadata: ObjectMeta) -> Iterator[Reason]:
    said = metadata.labels.get(OVERFLOW)
    if said is not None and said not in {ENABLED, PERMITTED}:
        yield Reason(
            "InvalidNamespaceLabel",
            f'the label {OVERFLOW} is "{said[:_SHOWN]}", so none of its pods may overflow; '
            f"write {ENABLED} or {PERMITTED}, or take it away",
        )


def _meaningless_early(metadata: ObjectMeta) -> Iterator[Reason]:
    said = metadata.annotations.get(EARLY, EARLY_ALLOWED)
    if said != EARLY_ALLOWED:
        yield Reason(
            "InvalidEarlyBurst",
            f'is "{said[:_SHOWN]}", so it does not burst early; write {EARLY_ALLOWED}, or leave it out',
            f"metadata.annotations[{EARLY}]",
        )


def _unread(metadata: ObjectMeta, places: _Places, *, elsewhere: _Places) -> Iterator[Reason]:
    for kind, keys in (("label", metadata.labels), ("annotation", metadata.annotations)):
        whose, known = places[kind]
        for key in _ours(keys):
            if key not in known and key not in _OURS_ON_PODS:
                mend = _mend(key, kind, places, elsewhere)
                yield Reason("UnknownKey", f"nobody reads the {kind} {key[:_SHOWN]} of a {whose}; {mend}")


def _ours(keys: Iterable[str]) -> list[str]:
    return sorted(key for key in keys if key.startswith(DOMAIN))


def _mend(key: str, kind: str, places: _Places, elsewhere: _Places) -> str:
    """The key that was meant: the same elsewhere, else the one that is spelt most like it."""
    placed = [(each, *somewhere[each]) for somewhere in (places, elsewhere) for each in somewhere]
    for other, owner, known in placed:
        if key in known:
            return f"it is {_article(other)} {other} of the {owner}"
    for other, owner, known in placed:
        near = _nearest(key, known)
        if near:
            where = (
                ""
                if (other, owner) == (kind, places[kind][0])
                else f" ({_article(other)} {other} of the {owner})"
            )
            return f"do you mean {near}{where}?"
    whose, _ = places[kind]
    read = ", ".join(sorted({each for _, known in places.values() for each in known}))
    return f"a {whose} has {read}"


def _nearest(key: str, known: Iterable[str]) -> str:
    names_alone = [each.removeprefix(DOMAIN) for each in known]
    near = difflib.get_close_matches(key.removeprefix(DOMAIN), names_alone, n=1, cutoff=_CLOSE)
    return f"{DOMAIN}{near[0]}" if near else ""


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
