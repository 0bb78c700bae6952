"""Which overflow pods go home now: those that have fitted onto real nodes for long, few at a time.

`plan_returns` is the whole decision but for one question that is asked last, of the API server: how many
replicas are Ready (`objection`). What comes of it is judged at later looks (`trials`).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from app.extender.cluster.facts import Facts
from app.extender.homing.config import ReturnConfig
from app.extender.homing.fit import Berths, by_size
from app.extender.homing.memory import Eviction, ReturnMemory
from app.extender.homing.movable import RECENTLY_READY, anchor, is_ready
from app.extender.homing.trials import MOST, Seen, Trial, Trials, clamped, held_off_until, judged, remembered
from app.model.early import owner_of
from app.model.meta import OwnerReference
from app.model.names import EARLY, EARLY_ALLOWED, PodUid
from app.model.pod import Pod, controller_of, is_terminal
from app.model.reason import Reason
from app.model.replicas import Replicas
from app.model.times import rfc3339
from app.model.virtual_node import is_overflow

NO_ROOM: Final = Reason("NoRoom", "no real node has room for it beside the pods that wait for one")
ANOTHER_FIRST: Final = Reason("AnotherFirst", "another pod goes home first, and must be Ready there")
STILL_BURSTING: Final = Reason("StillBursting", "its controller has pods that are not Ready yet")
TOO_FULL: Final = Reason(
    "AboveWatermark", "it may burst early, and the nodes that it could use are full beyond the high watermark"
)
TOO_MANY: Final = Reason("TooManyReturns", "the returns of too many controllers are watched already")

Counted = Mapping[str, Replicas | Literal["unknown"] | None]
"""What controllers say, by `owner_of`: None where one is gone, nothing where nobody could ask."""

_NOTHING: Final[Counted] = MappingProxyType({})
_EVER: Final = datetime.min.replace(tzinfo=UTC)


class Returns(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done, and why the others stay.

    Attributes:
        evict: pods that may go, the best first and one of each controller: the first `places` of them go
            whose controllers do not object.
        places: how many may go now: a batch but for those that are on the way.
        stays: for every other overflow pod, why it stays where it is.
        memory: for the next plan.
    """

    evict: tuple[Eviction, ...]
    places: int
    stays: Mapping[PodUid, Reason]
    memory: ReturnMemory


class _Crew(msgspec.Struct):
    """The overflow pods of one controller, and whether another pod of it has no node."""

    pods: list[Pod] = []
    waits: bool = False

    @property
    def loses_one(self) -> bool:
        """Whether one of the pods is being deleted."""
        return any(pod.metadata.deletion_timestamp is not None for pod in self.pods)

    def bursts(self, since: datetime) -> bool:
        """Whether a pod has no node, or was made since then and is not Ready yet."""
        return self.waits or any(_made(pod) >= since and not is_ready(pod) for pod in self.pods)


def plan_returns(
    facts: Facts,
    memory: ReturnMemory,
    *,
    now: datetime,
    config: ReturnConfig,
    counted: Counted = _NOTHING,
    urged: frozenset[PodUid] = frozenset(),
) -> Returns:
    """Decide for every overflow pod.

    Args:
        facts: the cluster now.
        memory: what the last plan handed on.
        now: the time.
        config: the policy.
        counted: the replicas of the controllers whose returns are open.
        urged: pods that nodes were asked for: they need not have fitted for long, and push placeholders
            aside.
    """
    pods = overflow_pods(facts)
    crews = _crews(pods, facts.unbound.values())
    outcomes = (
        judged(clamped(each, now=now), _seen(each, crews, counted), now=now, config=config)
        for each in memory.trials.values()
    )
    trials = remembered(outcomes, now=now, config=config)
    desk = _Desk(crews=crews, trials=trials, now=now, config=config)
    fitting = desk.fitting(facts, pods, urged=urged, behind=memory.behind)
    since = {pod.uid: min(memory.fits_since.get(pod.uid, now), now) for pod in fitting}
    return Returns(
        evict=desk.due(fitting, since=since, urged=urged, behind=memory.behind),
        places=desk.places,
        stays=desk.stays,
        memory=ReturnMemory(
            fits_since=since, trials=trials, behind=memory.behind & {pod.uid for pod in pods}
        ),
    )


def overflow_pods(facts: Facts) -> tuple[Pod, ...]:
    """The pods on virtual nodes that live, but for DaemonSets', which never start there."""
    found = (pod for pods in facts.on_virtual.values() for pod in pods)
    return tuple(pod for pod in found if is_overflow(pod) and not is_terminal(pod))


def objection(replicas: Replicas | None, *, config: ReturnConfig) -> Reason | None:
    """Why the controller cannot do without one replica now; None where it can.

    Args:
        replicas: as the API server has them at this moment; None where the controller is gone.
        config: the policy.
    """
    if replicas is None:
        return Reason("ControllerGone", "its controller is gone; nobody would make it anew")
    if replicas.ready < config.least_ready:
        return Reason(
            "TooFewReady",
            f"its controller has {replicas.ready} Ready, and the last ones are never moved: "
            f"{config.least_ready} must be",
        )
    if not replicas.forgives:
        return Reason(
            "DisruptionCounts",
            "its Job may count an eviction as a failure; let the first rule of its podFailurePolicy ignore "
            "DisruptionTarget",
        )
    if not replicas.steady:
        return Reason("RollingOut", "its StatefulSet replaces a pod just now")
    return None


class _Desk:
    """Sorts the overflow pods into those that may go and those that stay, each with its reason."""

    def __init__(
        self, *, crews: Mapping[str, _Crew], trials: Trials, now: datetime, config: ReturnConfig
    ) -> None:
        self.stays: dict[PodUid, Reason] = {}
        self._crews = crews
        self._trials = trials
        self._now = now
        self._config = config
        self._going: set[str] = set()
        self._open = {key for key, each in trials.items() if each.state == "open"}
        self.places = max(0, config.batch - len(self._open))

    def fitting(
        self, facts: Facts, pods: Iterable[Pod], *, urged: frozenset[PodUid], behind: frozenset[PodUid]
    ) -> Sequence[Pod]:
        """The pods that may be moved, and that real nodes would take all together.

        Urged ones choose first; who could not go anyhow takes no room from who can. Those that are Ready for
        too short are among them, so that the time for which room lasts counts meanwhile.
        """
        movable = [pod for pod in pods if self._is_free(pod, facts)]
        if not movable:
            return ()
        berths = Berths(facts.real.values())
        berths.give_way(facts.unbound.values())
        found = []
        last = {
            pod.uid for pod in movable if pod.uid in behind or pod.uid in self.stays or self._is_held(pod)
        }
        for pod in sorted(movable, key=lambda pod: (pod.uid in last, pod.uid not in urged, by_size(pod))):
            if berths.seat(pod, aside=pod.uid in urged) is None:
                self.stays[pod.uid] = NO_ROOM
            else:
                found.append(pod)
        return found

    def _is_free(self, pod: Pod, facts: Facts) -> bool:
        reason = anchor(pod, now=self._now, after=self._config.after, jobs=self._config.jobs)
        passes = reason is None or reason.code == RECENTLY_READY
        if passes and self._config.early and _would_burst_early(pod, facts):
            passes, reason = False, TOO_FULL
        if reason is not None:
            self.stays[pod.uid] = reason
        return passes

    def _is_held(self, pod: Pod) -> bool:
        return self._held(owner_of(pod)) is not None

    def due(
        self,
        fitting: Sequence[Pod],
        *,
        since: Mapping[PodUid, datetime],
        urged: frozenset[PodUid],
        behind: frozenset[PodUid],
    ) -> tuple[Eviction, ...]:
        """One pod of each controller that may go now; who has fitted for the longest comes first.

        Controllers that could not spare one come after all others, and those that said so last come last.
        """
        objected = _objected(fitting, since=since, behind=behind)
        free = (pod for pod in fitting if pod.uid not in self.stays)
        found = []
        for pod in sorted(free, key=lambda pod: (objected.get(owner_of(pod), _EVER), since[pod.uid])):
            owner, key = controller_of(pod), owner_of(pod)
            if owner is None:  # `anchor` holds those already
                continue
            reason = self._unsustained(pod, since[pod.uid], urged) or self._not_now(key, owner)
            if reason is None:
                self._going.add(key)
                asked, newest = pod.uid in urged, self._newest(key)
                found.append(Eviction(pod=pod, owner=owner, newest=newest, urged=asked))
            else:
                self.stays[pod.uid] = reason
        return tuple(found)

    def _unsustained(self, pod: Pod, since: datetime, urged: frozenset[PodUid]) -> Reason | None:
        after = self._config.after
        if pod.uid in urged or self._now - since >= after:
            return None
        return Reason(
            "RoomNotSustained",
            f"a real node has had room for it since {rfc3339(since)}; "
            f"it goes home when that has lasted {after.total_seconds():.0f} s",
        )

    def _not_now(self, key: str, owner: OwnerReference) -> Reason | None:
        held = self._held(key)
        if held is not None:
            return held
        if self.places == 0 or key in self._open or key in self._going:
            return ANOTHER_FIRST
        if owner.kind == "StatefulSet" and self._crews[key].loses_one:
            return ANOTHER_FIRST
        known = key in self._trials
        return None if known or len(self._trials) + len(self._going) < MOST else TOO_MANY

    def _held(self, key: str) -> Reason | None:
        trial = self._trials.get(key)
        until = held_off_until(trial, self._config) if trial else None
        if trial is not None and until is not None and self._now < until:
            return Reason(
                "HeldOff",
                f"its controller's returns went wrong {trial.strikes} times; "
                f"the next is tried after {rfc3339(until)}",
            )
        bursts = self._crews[key].bursts(self._now - self._config.settling)
        return STILL_BURSTING if bursts else None

    def _newest(self, key: str) -> datetime:
        return max(map(_made, self._crews[key].pods), default=_EVER)


def _objected(
    pods: Iterable[Pod], *, since: Mapping[PodUid, datetime], behind: frozenset[PodUid]
) -> dict[str, datetime]:
    """When each controller that could not spare a pod said so last: the pod's time began anew then."""
    found: dict[str, datetime] = {}
    for pod in pods:
        if pod.uid in behind:
            key = owner_of(pod)
            found[key] = max(found.get(key, _EVER), since[pod.uid])
    return found


def _made(pod: Pod) -> datetime:
    return pod.metadata.creation_timestamp or _EVER


def _would_burst_early(pod: Pod, facts: Facts) -> bool:
    pressure = facts.pressure.get(pod.uid)
    high = pressure is not None and pressure.mark is not None and pressure.mark.mark == "high"
    return high and pod.metadata.annotations.get(EARLY) == EARLY_ALLOWED


def _crews(overflow: Iterable[Pod], unbound: Iterable[Pod]) -> dict[str, _Crew]:
    crews: dict[str, _Crew] = {}
    for pod in overflow:
        if key := owner_of(pod):
            crews.setdefault(key, _Crew()).pods.append(pod)
    for pod in unbound:
        if key := owner_of(pod):
            crews.setdefault(key, _Crew()).waits = True
    return crews


def _seen(trial: Trial, crews: Mapping[str, _Crew], counted: Counted) -> Seen:
    crew = crews.get(trial.key) or _Crew()
    return Seen(overflow=tuple(crew.pods), waits=crew.waits, replicas=counted.get(trial.key, "unknown"))
