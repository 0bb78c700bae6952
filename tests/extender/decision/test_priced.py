import msgspec

from app.extender.cluster.facts import SHIPPED_OFFER
from app.extender.decision.priced import Priced
from app.fargate.prices import Cost, cost_of
from app.model.offer import TABLE, Offer
from app.model.pod import Pod
from tests.builders import a_pod

OTHER = Offer(rates=TABLE, capacity="spot")


class Till:
    """Prices pods, and remembers which."""

    def __init__(self) -> None:
        self.asked: list[Pod] = []

    def __call__(self, pod: Pod, offer: Offer) -> Cost | None:
        self.asked.append(pod)
        return cost_of(pod, offer)


def test_the_same_pod_is_priced_once_by_each_offer() -> None:
    till, pod = Till(), a_pod()
    priced = Priced(till)
    first = [priced(pod, SHIPPED_OFFER), priced(pod, OTHER)]
    assert [priced(pod, SHIPPED_OFFER), priced(pod, OTHER)] == first
    assert len(till.asked) == 2


def test_a_pod_that_changed_is_priced_anew() -> None:
    till, pod = Till(), a_pod()
    priced = Priced(till)
    priced(pod, SHIPPED_OFFER)
    assert priced(msgspec.structs.replace(pod, spec=a_pod(cpu="4").spec), SHIPPED_OFFER) != priced(
        pod, SHIPPED_OFFER
    )


def test_a_pod_without_a_price_is_not_asked_about_again() -> None:
    till, pod = Till(), a_pod(cpu="500")
    priced = Priced(till)
    assert (priced(pod, OTHER), priced(pod, OTHER)) == (None, None)
    assert len(till.asked) == 1


def test_old_offers_are_forgotten() -> None:
    till, pod = Till(), a_pod()
    priced = Priced(till)
    for _ in range(20):
        priced(pod, Offer(rates=TABLE))
    assert len(till.asked) == 20
    priced(pod, OTHER)
    priced(pod, OTHER)
    assert len(till.asked) == 21


def test_a_pod_that_is_gone_is_forgotten() -> None:
    till, pod = Till(), a_pod()
    priced = Priced(till)
    priced(pod, OTHER)
    priced.keep(set())
    priced(pod, OTHER)
    assert till.asked == [pod, pod]
