import msgspec

from app.extender.decision.once import Once
from app.model.pod import Pod
from app.model.reason import Reason
from tests.builders import a_pod
from tests.extender.conftest import GateMaker
from tests.extender.fakes import a_pressing_pod

NO = (Reason("No", "not this one"),)


class Judge:
    """Refuses pods without a container, and remembers whom it judged."""

    def __init__(self) -> None:
        self.asked: list[Pod] = []

    def __call__(self, pod: Pod) -> tuple[Reason, ...]:
        self.asked.append(pod)
        return () if pod.spec.containers else NO


def test_the_same_pod_is_judged_once() -> None:
    judge, pod = Judge(), a_pod()
    judged = Once(judge)
    assert (judged(pod), judged(pod)) == ((), ())
    assert judge.asked == [pod]


def test_a_pod_that_changed_is_judged_anew() -> None:
    judge, pod = Judge(), a_pod()
    judged = Once(judge)
    judged(pod)
    changed = msgspec.structs.replace(pod, spec=msgspec.structs.replace(pod.spec, containers=()))
    assert judged(changed) == NO


def test_a_pod_that_is_gone_is_forgotten() -> None:
    judge, pod = Judge(), a_pod()
    judged = Once(judge)
    judged(pod)
    judged.keep(set())
    judged(pod)
    assert judge.asked == [pod, pod]


async def test_a_queue_that_is_looked_at_again_and_again_is_judged_once(make_gate: GateMaker) -> None:
    judge = Judge()
    refused = a_pressing_pod("big", uid="big", containers=[{"name": "main"}])
    gate = make_gate(refusals=lambda pod: (*judge(pod), *NO))
    gate.pods.put(refused)
    async with gate.leading():
        for each in range(5):
            gate.pods.put(a_pressing_pod(f"web-{each}", uid=f"web-{each}"))
            await gate.pass_by()
    assert sorted(pod.uid for pod in judge.asked) == ["big", *(f"web-{each}" for each in range(5))]
