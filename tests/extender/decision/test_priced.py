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


def resized(pod: Pod, cpu: str) -> Pod:
    """The pod with other requests, wherever it is."""
    spec = msgspec.structs.replace(pod.spec, containers=a_pod(cpu=cpu).spec.containers)
    return msgspec.structs.replace(pod, spec=spec)


def vcpus(priced: Priced, *pods: Pod) -> list[float]:
    costs = [priced(pod, SHIPPED_OFFER) for pod in pods]
    return [cost.vcpu for cost in costs if cost is not None]


def test_a_pod_that_is_resized_on_fargate_costs_the_most_that_it_asked_for_there() -> None:
    pod = a_pod(node="fargate-1a", cpu="2")
    sizes = (pod, resized(pod, "250m"), resized(pod, "4"), resized(pod, "500m"))
    assert vcpus(Priced(cost_of), *sizes) == [2, 2, 4, 4]


def test_however_often_it_is_resized_the_dearest_size_is_not_forgotten() -> None:
    pod = a_pod(node="fargate-1a", cpu="4")
    many = (resized(pod, f"{100 + each}m") for each in range(20))
    assert vcpus(Priced(cost_of), pod, *many)[-1] == 4


def test_a_pod_that_changes_otherwise_costs_what_it_did() -> None:
    till, pod = Till(), a_pod(node="fargate-1a")
    priced = Priced(till)
    metadata = msgspec.structs.replace(pod.metadata, annotations={"team": "shop"})
    vcpus(priced, pod, msgspec.structs.replace(pod, metadata=metadata))
    assert len(till.asked) == 2


def test_a_pod_that_has_no_node_yet_costs_what_it_asks_for_now() -> None:
    pod = a_pod(cpu="2")
    assert vcpus(Priced(cost_of), pod, resized(pod, "250m")) == [2, 0.25]


def test_a_size_that_has_no_price_takes_that_of_the_size_before() -> None:
    pod = a_pod(node="fargate-1a", cpu="2")
    assert vcpus(Priced(cost_of), pod, resized(pod, "500")) == [2, 2]
