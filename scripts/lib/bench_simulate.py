"""How fast `spillway simulate` replays large traces: seconds for each policy.

The traces are made here, the same every time: two working days of CI, where every few minutes somebody's push
starts a batch of jobs, and nights with little. The real nodes hold the average, the peaks do not fit.
In `even` the jobs have sixteen sizes; in `mixed` half of them lack cpu and half memory, and few are alike.
"""

import argparse
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from app.simulator.config import SimulationConfig
from app.simulator.policies import POLICIES
from app.simulator.replay import Replay
from app.simulator.report import figures_of, report_of
from app.simulator.trace import Trace, TracedPod

SECOND: Final = 1000
DAY: Final = 86_400
CPU_MILLI: Final = (250, 500, 1000, 2000)
MEMORY_MIB: Final = (512, 1024, 2048, 3072)

Size = tuple[int, int]
"""Millicores and MiB."""


def even(dice: random.Random) -> Size:
    """One of sixteen sizes."""
    return dice.choice(CPU_MILLI), dice.choice(MEMORY_MIB)


def mixed(dice: random.Random) -> Size:
    """Much cpu and little memory, or the other way round."""
    if dice.random() < 0.5:  # noqa: PLR2004  (half of them)
        return dice.randint(1000, 3900), dice.randint(64, 512)
    return dice.randint(50, 200), dice.randint(6000, 16_000)


WORKLOADS: Final[Mapping[str, Callable[[random.Random], Size]]] = {"even": even, "mixed": mixed}


def trace_of(pods: int, size: Callable[[random.Random], Size] = even) -> Trace:
    """So many pods over two days, in batches of up to 60."""
    dice = random.Random(4)  # noqa: S311  (no secret: the same trace every time)
    made: list[TracedPod] = []
    while len(made) < pods:
        moment = dice.random() * 2 * DAY
        if dice.random() > _busy(moment % DAY / DAY * 24):
            continue
        batch = min(dice.randint(1, 60), pods - len(made))
        made += [_job(len(made) + each, round(moment), dice, size(dice)) for each in range(batch)]
    made.sort(key=lambda pod: pod.created)
    end = max(pod.created + pod.lasts for pod in made)
    return Trace(pods=tuple(made), begin=made[0].created, end=end)


def _busy(hour: float) -> float:
    if 9 <= hour < 18:  # noqa: PLR2004  (working hours)
        return 1.0
    return 0.05


def _job(number: int, moment: int, dice: random.Random, size: Size) -> TracedPod:
    return TracedPod(
        name=f"job-{number}",
        namespace=f"team-{number % 7}",
        cpu_milli=size[0],
        memory_mib=size[1],
        created=(moment + dice.randint(0, 20)) * SECOND,
        lasts=dice.randint(30, 1200) * SECOND,
    )


def config_of(trace: Trace) -> SimulationConfig:
    """Nodes for the average: the trace's core-seconds, or MiB-seconds, over its span, by what a node has."""
    node, span = SimulationConfig().node, trace.end - trace.begin
    cpu = sum(pod.cpu_milli * pod.lasts for pod in trace.pods) / span / node.cpu_milli
    memory = sum(pod.memory_mib * pod.lasts for pod in trace.pods) / span / node.memory_mib
    nodes = max(1, round(max(cpu, memory)))
    return SimulationConfig(nodes=nodes, most_nodes=4 * nodes)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench simulate", description=__doc__)
    parser.add_argument("--pods", type=int, default=100_000, help="how many pods (default 100000)")
    parser.add_argument("--workload", choices=sorted(WORKLOADS), help="only this one (default both)")
    asked = parser.parse_args()
    names = [asked.workload] if asked.workload else list(WORKLOADS)
    found = {name: measured(name, asked.pods) for name in names}
    print(msgspec.json.encode({"pods": asked.pods, **found}).decode())


def measured(workload: str, pods: int) -> dict[str, Any]:
    """One trace by every policy, and what it took."""
    trace = trace_of(pods, WORKLOADS[workload])
    config = config_of(trace)
    seconds, found = {}, []
    for policy in POLICIES:
        begun = time.perf_counter()
        outcome = Replay(trace, policy, config=config).run(lambda _: None)
        found.append(figures_of(policy, outcome, begin=trace.begin))
        seconds[policy.name] = round(time.perf_counter() - begun, 2)
        print(f"{workload}, {policy.title}: {seconds[policy.name]} s, ${found[-1].cost:.2f}")
    report = report_of(found, pods=pods, hours=(trace.end - trace.begin) / SECOND / 3600)
    return {
        "nodes": config.nodes,
        "seconds": seconds,
        "overflow_share": round(found[-1].overflow_share, 4),
        "ratio_to_best": report.ratio_to_best and round(report.ratio_to_best, 3),
    }


if __name__ == "__main__":
    main()
