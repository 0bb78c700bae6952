"""Small workloads and scenes, and what a policy makes of them."""

from datetime import timedelta
from typing import Any

from app.simulator.books import Outcome
from app.simulator.config import NodeShape, SimulationConfig
from app.simulator.policies import Policy
from app.simulator.replay import Replay
from app.simulator.report import Figures, figures_of
from app.simulator.trace import Trace, TracedPod

SECOND = 1000
NODE = NodeShape(cpu_milli=2000, memory_mib=4096, pods=110, hourly=0.36)
"""One hundredth of a cent a second."""


def a_traced(
    name: str = "job",
    *,
    at: float = 0,
    lasts: float = 600,
    cpu_milli: int = 1000,
    memory_mib: int = 2048,
    **fields: Any,
) -> TracedPod:
    """A pod of one core and 2 GiB; times in seconds."""
    return TracedPod(
        name=name,
        cpu_milli=cpu_milli,
        memory_mib=memory_mib,
        created=round(at * SECOND),
        lasts=round(lasts * SECOND),
        **fields,
    )


def a_trace(*pods: TracedPod, end: float | None = None) -> Trace:
    """The pods, from the first one's creation until the last one's deletion, unless told otherwise."""
    last = max(pod.created + pod.lasts for pod in pods)
    return Trace(
        pods=tuple(sorted(pods, key=lambda pod: pod.created)),
        begin=min(pod.created for pod in pods),
        end=last if end is None else round(end * SECOND),
    )


def a_scene(**fields: Any) -> SimulationConfig:
    """One node of two cores that always stands, and room for two more."""
    defaults: dict[str, Any] = {"nodes": 1, "most_nodes": 3, "node": NODE}
    return SimulationConfig(**{**defaults, **fields})


def replayed(trace: Trace, policy: Policy, *, config: SimulationConfig | None = None) -> Outcome:
    """What comes of it."""
    return Replay(trace, policy, config=config or a_scene()).run(lambda _: None)


def figures(trace: Trace, policy: Policy, *, config: SimulationConfig | None = None) -> Figures:
    """The same in figures."""
    return figures_of(policy, replayed(trace, policy, config=config), begin=trace.begin)


def seconds(outcome: Outcome) -> list[float | None]:
    """Each pod's wait."""
    return [None if wait is None else wait / SECOND for wait in outcome.waits]


def minutes(count: float) -> timedelta:
    """So many."""
    return timedelta(minutes=count)
