"""What comes first for a pod that finds no room, evicting others or Fargate: by its PriorityClass."""

import enum
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from app.model.pod import Pod


class Preference(enum.Enum):
    """What the scheduler and the gate do for a pod of such a class.

    https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
    """

    BURST = "burst"
    """Nobody is evicted for it: it bursts instead."""

    PREEMPT = "preempt"
    """It evicts whom it may, and never bursts."""

    PREEMPT_FIRST = "preempt-first"
    """Where evicting helps it waits for that; otherwise it bursts."""

    WAIT = "wait"
    """Nobody is evicted for it and it never bursts: it waits for a node."""


EVICTS_NOBODY: Final = frozenset({Preference.BURST, Preference.WAIT})
"""Where the scheduler is not to preempt, as far as the pod is ours to speak for."""


class PreferenceError(ValueError):
    """The list of priority classes means nothing; the message names the mend."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """A preference for each priority class by name, and `otherwise` for all others and for pods of none."""

    by_class: Mapping[str, Preference] = MappingProxyType({})
    otherwise: Preference = Preference.PREEMPT_FIRST

    def of(self, pod: Pod) -> Preference:
        """What comes first for this pod. Admission has written the default class's name into its spec."""
        return self.by_class.get(pod.spec.priority_class_name, self.otherwise)

    @property
    def spares_somebody(self) -> bool:
        """Whether there is a class for which nobody is to be evicted."""
        return not EVICTS_NOBODY.isdisjoint({self.otherwise, *self.by_class.values()})


AS_EVER: Final = Preferences()
"""Where nobody said anything: `preempt-first` for all."""

ANY: Final = "*"
_WORDS: Final = {each.value: each for each in Preference}
_LONGEST_NAME: Final = 253
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
"""https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names"""


def preferences_of(entries: Iterable[str]) -> Preferences:
    """Preferences from entries such as `batch=wait` or `*=burst`.

    Raises:
        PreferenceError: an entry, a name or a word is none, or a name stands there twice.
    """
    found: dict[str, Preference] = {}
    for entry in entries:
        name, preference = _parsed(entry)
        if name in found:
            raise PreferenceError(f'"{name}" stands there twice; keep one')
        found[name] = preference
    otherwise = found.pop(ANY, AS_EVER.otherwise)
    return Preferences(by_class=MappingProxyType(found), otherwise=otherwise)


def _parsed(entry: str) -> tuple[str, Preference]:
    name, equals, word = (part.strip() for part in entry.partition("="))
    if not equals:
        raise PreferenceError(f'"{entry}" has no "="; write for instance batch=wait,*=preempt-first')
    if name != ANY and (len(name) > _LONGEST_NAME or not _NAME.fullmatch(name)):
        raise PreferenceError(
            f'"{name}" is no name of a PriorityClass; write one as `kubectl get priorityclasses` shows it, '
            f"or {ANY} for all others"
        )
    if word not in _WORDS:
        raise PreferenceError(f'"{word}" (for {name}) is none of the words: write {", ".join(_WORDS)}')
    return name, _WORDS[word]
