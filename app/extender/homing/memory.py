"""What one plan of returns hands to the next, and how an eviction changes it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from app.extender.homing.config import ReturnConfig
from app.extender.homing.trials import Trial, Trials, struck, with_strike
from app.model.early import owner_of
from app.model.meta import OwnerReference
from app.model.names import PodUid
from app.model.pod import Pod
from app.model.replicas import Replicas


class Eviction(msgspec.Struct, frozen=True, kw_only=True):
    """A pod that may be evicted now, and the controller that makes it anew.

    `newest` is when the youngest overflow pod of that controller was created. `urged` says that a node was
    asked for in its name, and stands ready.
    """

    pod: Pod
    owner: OwnerReference
    newest: datetime
    urged: bool = False

    @property
    def key(self) -> str:
        """The controller, as records have it."""
        return owner_of(self.pod)


class ReturnMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Made by one plan, given to the next; a new leader begins with the records on the nodes alone.

    Attributes:
        fits_since: since when each pod has fitted onto a real node without a break.
        trials: how returns went.
        behind: pods whose controllers could not spare them when they were asked: room goes to others first.
    """

    fits_since: Mapping[PodUid, datetime] = {}
    trials: Trials = {}
    behind: frozenset[PodUid] = frozenset()

    def begun(
        self, eviction: Eviction, *, replicas: Replicas, now: datetime, config: ReturnConfig
    ) -> "ReturnMemory":
        """With an eviction that is about to be made.

        Pods that came to Fargate since the controller's last eviction, within a day, make it a failure in
        hindsight: what goes home is pushed out again, be it long after.
        """
        pod, before = eviction.pod, self.trials.get(eviction.key)
        grace = timedelta(seconds=max(0, min(pod.spec.termination_grace_period_seconds, 86_400)))
        trial = Trial(
            owner=eviction.owner,
            namespace=pod.metadata.namespace,
            pod=pod.uid,
            node=pod.spec.node_name,
            at=now,
            until=now + grace + config.settling,
            ready=replicas.ready,
            newest=eviction.newest,
            strikes=before.strikes if before else 0,
            struck=before.struck if before else None,
        )
        again = before is not None and before.state == "home" and eviction.newest > before.newest
        return self._with(with_strike(trial, now=now) if again else trial)

    def refused(self, eviction: Eviction, *, now: datetime) -> "ReturnMemory":
        """With an eviction that was begun, and refused."""
        return self._with(struck(self.trials[eviction.key], now=now)).postponed(eviction, now=now)

    def undone(self, eviction: Eviction) -> "ReturnMemory":
        """With an eviction that was begun, and found nothing to do: the pod had gone by itself."""
        trial = self.trials[eviction.key]
        return self._with(msgspec.structs.replace(trial, state="home"))

    def postponed(self, eviction: Eviction, *, now: datetime) -> "ReturnMemory":
        """With a pod whose time begins anew, behind all others."""
        uid = eviction.pod.uid
        return msgspec.structs.replace(
            self, fits_since={**self.fits_since, uid: now}, behind=self.behind | {uid}
        )

    def _with(self, trial: Trial) -> "ReturnMemory":
        return msgspec.structs.replace(self, trials={**self.trials, trial.key: trial})
