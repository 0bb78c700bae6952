"""One controller whose pods are sent home, and a scheduler that does with them what the test says."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from app.extender.homing.memory import Eviction, ReturnMemory
from app.extender.homing.returning import Counted, Returns, objection, plan_returns
from app.extender.homing.trials import merged, read_trials, written_trials
from app.model.names import RETURNS
from app.model.pod import Pod
from app.model.replicas import Replicas
from tests.builders import NOON, VIRTUAL, a_node, a_virtual_node
from tests.extender.homing.returns import CONFIG, an_overflow_pod, ready_since
from tests.extender.plans import facts_of

Fate = Literal["home", "back", "refused", "lost", "peak", "late"]
"""What becomes of an evicted pod. `peak`: it comes home, and a new pod bursts meanwhile; `lost`: the request
was never carried out; `late`: it comes home, and is pushed back to Fargate long after."""

STEP = timedelta(minutes=5)
_LATE = timedelta(minutes=15)


class World:
    """A Deployment of which some pods are on Fargate; room on real nodes seems endless."""

    def __init__(self, *, overflow: int) -> None:
        self.now = NOON
        self.memory = ReturnMemory()
        self.evictions: list[tuple[datetime, Fate]] = []
        self._serial = 0
        self._home = 2
        self._late: list[datetime] = []
        self._overflow = [self._made() for _ in range(overflow)]

    @property
    def overflow(self) -> int:
        """How many pods are on Fargate."""
        return len(self._overflow)

    def live(self, fates: Iterable[Fate], *, looks: int) -> None:
        """Let so many looks pass; each eviction takes the next fate, and the last one stays for good."""
        pending = list(fates)
        for _ in range(looks):
            self.now += STEP
            self._push_back()
            planned = self._look()
            for eviction in planned.evict[: planned.places]:
                if objection(self._replicas(), config=CONFIG) is None:
                    self._suffer(eviction, pending.pop(0) if len(pending) > 1 else pending[0])

    def change_leader(self) -> None:
        """All that the next one knows is what stands on the node."""
        text = written_trials(self.memory.trials.values(), node=VIRTUAL)
        self.memory = ReturnMemory(trials=merged(read_trials({RETURNS: text})))

    def went_wrong(self) -> int:
        """Evictions that disturbed a pod, or were refused, for nothing."""
        return sum(fate in {"back", "refused", "peak"} for _, fate in self.evictions)

    def _look(self) -> Returns:
        counted: Counted = {"shop/uid-web": self._replicas()}
        facts = facts_of(self._overflow, nodes=(a_virtual_node(), a_node(cpu="1000", memory="1000Gi")))
        returns = plan_returns(facts, self.memory, now=self.now, config=CONFIG, counted=counted)
        self.memory = returns.memory
        return returns

    def _suffer(self, eviction: Eviction, fate: Fate) -> None:
        self.evictions.append((self.now, fate))
        self.memory = self.memory.begun(eviction, replicas=self._replicas(), now=self.now, config=CONFIG)
        if fate == "refused":
            self.memory = self.memory.refused(eviction, now=self.now)
        if fate in {"refused", "lost"}:
            return
        self._overflow = [pod for pod in self._overflow if pod.uid != eviction.pod.uid]
        self._home += fate != "back"
        if fate == "late":
            self._late.append(self.now + _LATE)
        elif fate != "home":
            self._overflow.append(self._made())

    def _push_back(self) -> None:
        due = [at for at in self._late if at <= self.now]
        self._late = [at for at in self._late if at > self.now]
        self._home -= len(due)
        self._overflow += [self._made() for _ in due]

    def _made(self) -> Pod:
        self._serial += 1
        created = self.now + timedelta(seconds=1)
        return an_overflow_pod(f"web-{self._serial}", created=created, status=ready_since(created))

    def _replicas(self) -> Replicas:
        count = self._home + len(self._overflow)
        return Replicas(wanted=count, ready=count)
