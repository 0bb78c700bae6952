"""Fargate's side: which pods it runs, when a launch gets through, and what a task is billed."""

from collections.abc import Sequence
from typing import Final

from app.fargate.eligibility import refusals
from app.fargate.prices import Cost, cost_of
from app.model.names import CAPACITY, PodUid
from app.model.offer import Offer
from app.model.pod import Pod
from app.model.reason import Reason
from app.simulator.config import HOUR_MS, SimulationConfig, milliseconds
from app.simulator.stand_ins import Pods
from app.simulator.trace import TracedPod

LEAST_BILLED_MS: Final = 60_000
"""https://aws.amazon.com/fargate/pricing/"""

_SECOND: Final = 1000
_UID: Final = "traced-"


class Tasks:
    """Judges, launches and bills; what depends on a pod's size alone is asked once for each size.

    Args:
        pods: of the trace; a pod is its index here.
        config: prices, delays and the launch quota.
    """

    def __init__(self, pods: Sequence[TracedPod], *, config: SimulationConfig) -> None:
        self._pods = pods
        self._offer = config.offer
        self._stand_ins = Pods(config.arch)
        self._start = milliseconds(config.fargate_start)
        self._between = _SECOND / config.launches
        self._bucket_full = float("-inf")
        self._reasons: dict[tuple[str, str], tuple[Reason, ...]] = {}
        self._costs: dict[tuple[str, str, str], Cost | None] = {}

    def hourly(self, pod: int) -> float | None:
        """US dollars for an hour of the pod's task; None where Fargate cannot run it."""
        stand_in = self.stand_in(pod, since=self._pods[pod].created)
        cost = None if self.refusals(stand_in) else self.cost(stand_in, self._offer)
        return cost.hourly if cost else None

    def cost(self, pod: Pod, offer: Offer) -> Cost | None:
        """`app.fargate.prices.cost_of`; there is one offer."""
        shape = (*_size(pod), pod.metadata.annotations.get(CAPACITY, ""))
        if shape not in self._costs:
            self._costs[shape] = cost_of(pod, offer)
        return self._costs[shape]

    def refusals(self, pod: Pod) -> tuple[Reason, ...]:
        """Why Fargate cannot run the pod (`app.fargate.eligibility`); the stand-ins differ by size alone."""
        size = _size(pod)
        if size not in self._reasons:
            self._reasons[size] = refusals(pod)
        return self._reasons[size]

    def stand_in(self, pod: int, *, since: int) -> Pod:
        """The pod as Kubernetes shows it once no node had room for it."""
        return self._stand_ins.pending(self._pods[pod], uid_of(pod), since=since)

    def launch(self, now: int) -> int:
        """When a task that is to be launched now gets through the launch quota.

        The quota is a bucket that holds one second's launches:
        https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html
        """
        self._bucket_full = max(self._bucket_full, now) + self._between
        return max(now, round(self._bucket_full - _SECOND))

    def running(self, launched: int) -> int:
        """When the pod of a task runs."""
        return launched + self._start

    def bill(self, *, hourly: float, launched: int, ended: int) -> float:
        """US dollars: by the second from image pull to stop, at least a minute.

        The pull begins somewhat after the launch; the difference is billed here.
        """
        seconds = -(-max(ended - launched, LEAST_BILLED_MS) // _SECOND)
        return hourly * seconds * _SECOND / HOUR_MS


def uid_of(pod: int) -> PodUid:
    """The identity of a pod of the trace."""
    return PodUid(f"{_UID}{pod}")


def index_of(uid: PodUid) -> int:
    """Which pod of the trace that is."""
    return int(uid.removeprefix(_UID))


def _size(pod: Pod) -> tuple[str, str]:
    """What a stand-in asks for."""
    asked = pod.spec.containers[0].resources.requests
    return asked["cpu"], asked["memory"]
