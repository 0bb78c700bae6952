"""How returns went, controller by controller: who is on the way, who came back, who is left alone.

One record for each controller, kept on the virtual node (annotation `RETURNS`), so that a new leader knows
what the last one tried. An eviction is written down before it is made: whoever dies in between leaves a
record of an eviction that may not have been, never an eviction without a record.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec

from app.extender.homing.config import ReturnConfig
from app.model.meta import OwnerReference
from app.model.names import RETURNS, PodUid
from app.model.pod import Pod, is_terminal
from app.model.replicas import Replicas
from app.model.times import later

Moment = Annotated[datetime, msgspec.Meta(tz=True)]

MOST: Final = 200
"""Records kept at once: they share the node's annotations with the grants (about 400 bytes each)."""

MOST_STRIKES: Final = 64
"""Strikes are counted up to here; pauses stop growing long before."""

_CALM: Final = 75
"""Records kept of returns that went well a while ago: the latest."""

_LONGEST_WAY: Final = timedelta(hours=25)
"""No return is awaited for longer: a pod's grace period is taken to be a day at most."""

_LOST: Final = timedelta(minutes=1)
"""An evicted pod that is not even being deleted after this long was never evicted."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The latest return of one controller's pods.

    Attributes:
        owner: the controller.
        namespace: where it is.
        pod: the pod that was evicted.
        node: the virtual node that it left.
        at: when.
        until: how long its successor may take to be Ready.
        ready: how many replicas were Ready before.
        newest: when the youngest of its pods on Fargate was created, by the API server's clock: any younger
            one came there after the eviction.
        state: `open` while the outcome is not known, `home` where it went well, `struck` where the pod came
            back to Fargate, the eviction was refused, or nothing came of it.
        strikes: how often it went wrong.
        struck: when it last did.
    """

    owner: OwnerReference
    namespace: str
    pod: PodUid
    node: str
    at: Moment
    until: Moment
    ready: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    newest: Moment
    state: Literal["open", "home", "struck"] = "open"
    strikes: Annotated[int, msgspec.Meta(ge=0, le=MOST_STRIKES)] = 0
    struck: Moment | None = None

    @property
    def key(self) -> str:
        """The controller, as `app.model.early.owner_of` gives it: others may claim its uid elsewhere."""
        return f"{self.namespace}/{self.owner.uid}"

    @property
    def name(self) -> str:
        """The controller, for people."""
        return f"{self.owner.kind} {self.namespace}/{self.owner.name}"


Trials = Mapping[str, Trial]
"""By controller (`Trial.key`)."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of one controller at a look.

    Attributes:
        overflow: its pods on virtual nodes.
        waits: whether a pod of it has no node.
        replicas: as it says itself; None where it is gone, and "unknown" where nobody could ask.
    """

    overflow: tuple[Pod, ...] = ()
    waits: bool = False
    replicas: Replicas | Literal["unknown"] | None = "unknown"


def judged(trial: Trial, seen: Seen, *, now: datetime, config: ReturnConfig) -> Trial:
    """The record with what is seen of its outcome.

    A pod of the controller that came to Fargate after the eviction is a return that failed: while the outcome
    is open, and for the length of the first hold-off, lest one comes home and pushes the next one out. One
    that comes later may be a new peak: it counts when it is moved in its turn (`ReturnMemory.begun`).
    """
    watched = trial.state == "open" or (trial.state == "home" and now < later(trial.at, config.hold_off))
    if watched and any(_came_after(pod, trial) for pod in seen.overflow):
        return struck(trial, now=now)
    if trial.state != "open":
        return trial
    evicted = next((pod for pod in seen.overflow if pod.uid == trial.pod and not is_terminal(pod)), None)
    if evicted is None and not seen.waits and _is_whole(trial, seen.replicas):
        return msgspec.structs.replace(trial, state="home")
    lost = evicted is not None and evicted.metadata.deletion_timestamp is None and now - trial.at > _LOST
    return struck(trial, now=now) if lost or now > trial.until else trial


def struck(trial: Trial, *, now: datetime) -> Trial:
    """The record of a return that went wrong."""
    return msgspec.structs.replace(with_strike(trial, now=now), state="struck")


def with_strike(trial: Trial, *, now: datetime) -> Trial:
    """The record with one failure more, whatever becomes of this return."""
    strikes = min(trial.strikes + 1, MOST_STRIKES)
    return msgspec.structs.replace(trial, strikes=strikes, struck=now)


def clamped(trial: Trial, *, now: datetime) -> Trial:
    """The record without times that no leader writes: nobody waits for years because somebody wrote so."""
    return msgspec.structs.replace(
        trial,
        at=min(trial.at, now),
        until=min(trial.until, later(now, _LONGEST_WAY)),
        struck=trial.struck and min(trial.struck, now),
    )


def held_off_until(trial: Trial, config: ReturnConfig) -> datetime | None:
    """Until when the controller's pods are left alone; None where they are not.

    The pauses double with each failure, and no success shortens them: that takes time without a failure.
    """
    if trial.struck is None:
        return None
    pause: timedelta = config.hold_off * 2 ** min(trial.strikes - 1, 16)
    return later(trial.struck, min(pause, config.longest))


def remembered(trials: Iterable[Trial], *, now: datetime, config: ReturnConfig) -> dict[str, Trial]:
    """Those that still matter, by controller; of returns that went well a while ago, the latest."""
    kept = [each for each in trials if not _is_over(each, now, config)]
    calm = sorted((each for each in kept if _is_calm(each, now, config)), key=lambda each: each.at)
    forgotten = {each.key for each in calm[:-_CALM]}
    return {each.key: each for each in kept if each.key not in forgotten}


def _is_over(trial: Trial, now: datetime, config: ReturnConfig) -> bool:
    held = held_off_until(trial, config)
    if trial.state == "open":
        return False
    if held is None:
        return now >= later(trial.at, config.longest)
    return now >= later(held, config.longest)


def _is_calm(trial: Trial, now: datetime, config: ReturnConfig) -> bool:
    return trial.state == "home" and trial.struck is None and now >= later(trial.at, config.hold_off)


def _came_after(pod: Pod, trial: Trial) -> bool:
    created = pod.metadata.creation_timestamp
    return created is not None and created > trial.newest


def _is_whole(trial: Trial, replicas: Replicas | Literal["unknown"] | None) -> bool:
    """Whether as many replicas are Ready as before the eviction, or as there are still to be."""
    if replicas == "unknown":
        return False
    return replicas is None or replicas.ready >= min(trial.ready, replicas.wanted)


def read_trials(annotations: Mapping[str, str]) -> tuple[Trial, ...]:
    """The records on a node; none where there are none, or where somebody else wrote there.

    What cannot be read is written anew; until then the leader waits its full time before it moves anything.
    """
    try:
        return msgspec.json.decode(annotations.get(RETURNS) or "[]", type=tuple[Trial, ...])
    except (msgspec.MsgspecError, RecursionError):
        return ()


def merged(trials: Iterable[Trial]) -> dict[str, Trial]:
    """By controller; of two records of one, as of two nodes, the one with more strikes and then the later."""
    return {each.key: each for each in sorted(trials, key=lambda each: (each.strikes, each.at))}


def written_trials(trials: Iterable[Trial], *, node: str) -> str:
    """The annotation of one virtual node, in a stable order."""
    own = sorted((each for each in trials if each.node == node), key=lambda each: each.owner.uid)
    return msgspec.json.encode(own).decode()
