"""What holds for every workload and every policy."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.extender.decision.budget import Limits
from app.extender.decision.hindrance import GateConfig
from app.simulator.books import Books
from app.simulator.config import SimulationConfig
from app.simulator.overflow import Gate
from app.simulator.policies import AUTOSCALER, FARGATE, NODES, POLICIES, SPILLWAY, Policy
from app.simulator.replay import Replay
from app.simulator.trace import Trace, TracedPod
from tests.simulator.scenes import a_scene, a_trace, a_traced, minutes, replayed


def numbered(pods: Sequence[TracedPod]) -> list[TracedPod]:
    """The pods by age, with names in that order, too: who is as old comes by name."""
    by_age = sorted(pods, key=lambda pod: pod.created)
    return [msgspec.structs.replace(pod, name=f"job-{index:02}") for index, pod in enumerate(by_age)]


PODS = st.builds(
    a_traced,
    at=st.integers(0, 900),
    lasts=st.integers(0, 600),
    cpu_milli=st.sampled_from([100, 500, 1000, 2000, 2500]),
    memory_mib=st.sampled_from([64, 1024, 4096]),
    namespace=st.sampled_from(["shop", "ci"]),
    max_wait=st.sampled_from(["", "0s", "30s", "5m"]),
    overflow=st.booleans(),
)
TRACES = st.lists(PODS, min_size=1, max_size=25).map(lambda pods: a_trace(*numbered(pods)))
SCENES = st.builds(
    a_scene,
    nodes=st.integers(0, 3),
    most_nodes=st.integers(0, 5),
    boot=st.sampled_from([minutes(0), minutes(1), minutes(3)]),
    scale_down=st.sampled_from([minutes(0), minutes(10)]),
    launches=st.sampled_from([1, 20]),
    gate=st.builds(
        GateConfig,
        max_wait=st.sampled_from([timedelta(0), minutes(2)]),
        max_grants=st.sampled_from([2, 1000]),
        budget=st.sampled_from([Limits(), Limits(pods=2), Limits(vcpu=1.5)]),
    ),
)
EVERY_POLICY = pytest.mark.parametrize("policy", [pytest.param(each, id=each.name) for each in POLICIES])


class Ledger(Books):
    """Books that also keep who began and ended when."""

    def __init__(self, trace: Trace) -> None:
        super().__init__(len(trace.pods), begin=trace.begin, node_hourly=1, standing=0)
        self.starts: Counter[int] = Counter()

    def pod_starts(self, pod: int, *, wait: int) -> None:
        self.starts[pod] += 1
        super().pod_starts(pod, wait=wait)

    def task_starts(self, pod: int, *, wait: int, hourly: float) -> None:
        self.starts[pod] += 1
        super().task_starts(pod, wait=wait, hourly=hourly)


class Watched(Replay):
    """A replay that keeps what is looked at below."""

    def __init__(self, trace: Trace, policy: Policy, *, config: SimulationConfig) -> None:
        super().__init__(trace, policy, config=config)
        self._books = self.ledger = Ledger(trace)
        self.ends: dict[int, int] = {}

    def _end(self, pod: int, now: int, freed: set[int]) -> None:
        assert pod not in self.ends
        self.ends[pod] = now
        super()._end(pod, now, freed)

    def steps(self, check: Callable[[], None]) -> None:
        while (now := self.next_instant()) is not None:
            self.step(now)
            check()


@EVERY_POLICY
@given(trace=TRACES, config=SCENES)
@settings(max_examples=60)
def test_no_pod_is_placed_twice_and_each_lives_as_long_as_in_the_trace(
    policy: Policy, trace: Trace, config: SimulationConfig
) -> None:
    replay = Watched(trace, policy, config=config)
    waits = replay.run(lambda _: None).waits
    started = {pod: wait for pod, wait in enumerate(waits) if wait is not None}
    assert replay.ledger.starts == Counter(started.keys())
    assert replay.ends == {
        pod: trace.pods[pod].created + wait + trace.pods[pod].lasts for pod, wait in started.items()
    }
    assert all(wait >= 0 for wait in started.values())


@EVERY_POLICY
@given(trace=TRACES, config=SCENES)
@settings(max_examples=40)
def test_room_is_never_negative(policy: Policy, trace: Trace, config: SimulationConfig) -> None:
    replay = Watched(trace, policy, config=config)

    def check() -> None:
        assert all(min(replay.machine.free(slot)) >= 0 for slot in replay.machine.slots())

    replay.steps(check)


@given(trace=TRACES, nodes=st.integers(0, 5))
@settings(max_examples=40)
def test_what_nodes_only_costs_depends_on_nothing_but_when_all_is_over(trace: Trace, nodes: int) -> None:
    outcome = replayed(trace, NODES, config=a_scene(nodes=nodes))
    assert outcome.node_ms == nodes * (outcome.end - trace.begin)
    assert outcome.end >= trace.end
    assert outcome.fargate_cost == 0


@given(trace=TRACES, config=SCENES)
@settings(max_examples=40)
def test_a_replay_again_is_the_same(trace: Trace, config: SimulationConfig) -> None:
    assert replayed(trace, SPILLWAY, config=config) == replayed(trace, SPILLWAY, config=config)


@given(trace=TRACES, config=SCENES)
@settings(max_examples=40)
def test_without_a_gate_that_opens_spillway_is_an_autoscaler(trace: Trace, config: SimulationConfig) -> None:
    shut = a_scene(
        nodes=config.nodes, most_nodes=config.most_nodes, boot=config.boot, gate=GateConfig(gate="closed")
    )
    assert replayed(trace, SPILLWAY, config=shut) == replayed(trace, AUTOSCALER, config=shut)


@given(trace=TRACES, config=SCENES)
@settings(max_examples=40)
def test_who_fargate_can_run_waits_for_nothing_but_the_start_and_the_quota(
    trace: Trace, config: SimulationConfig
) -> None:
    waits = replayed(trace, FARGATE, config=config).waits
    assert all(
        (wait is not None and wait >= 45_000) if pod.overflow else wait is None
        for pod, wait in zip(trace.pods, waits, strict=True)
    )


class AskingAboutEverybody(Gate):
    """Asks in every instant about every pod, as the extender's leader does."""

    def turn(self, now: int) -> list[int]:
        self._open = dict.fromkeys(self._unbound)
        return super().turn(now)


@given(trace=TRACES, config=SCENES)
@settings(max_examples=150)
def test_to_ask_only_about_whose_answer_may_have_changed_changes_no_answer(
    trace: Trace, config: SimulationConfig
) -> None:
    def waits(kind: type[Gate]) -> Mapping[int, int | None]:
        replay = Replay(trace, SPILLWAY, config=config)
        replay._gate = kind(
            trace.pods,
            config=config,
            tasks=replay._tasks,
            machine=replay.machine,
            autoscaler=replay._autoscaler,
        )
        return dict(enumerate(replay.run(lambda _: None).waits))

    assert waits(Gate) == waits(AskingAboutEverybody)
