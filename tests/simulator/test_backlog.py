"""Who waits: the tree finds whom asking one by one finds, and does not ask one by one."""

import time

from hypothesis import given
from hypothesis import strategies as st

from app.simulator.backlog import Backlog
from app.simulator.policies import NODES
from tests.simulator.scenes import a_scene, a_trace, a_traced, replayed

AMOUNT = st.integers(0, 12)
SIZES = st.lists(st.tuples(AMOUNT, AMOUNT), min_size=1, max_size=40)


@given(sizes=SIZES, data=st.data(), cpu=AMOUNT, memory=AMOUNT)
def test_the_oldest_that_is_small_enough_is_found(
    sizes: list[tuple[int, int]], data: st.DataObject, cpu: int, memory: int
) -> None:
    backlog = Backlog(sizes)
    turns = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=60))
    for pod in turns:
        (backlog.remove if pod in backlog else backlog.add)(pod)
    waiting = [pod for pod in range(len(sizes)) if turns.count(pod) % 2]
    fitting = [pod for pod in waiting if sizes[pod][0] <= cpu and sizes[pod][1] <= memory]
    assert len(backlog) == len(waiting)
    assert backlog.oldest_within(cpu, memory) == min(fitting, default=None)


def test_where_there_never_was_a_pod_nobody_is_found() -> None:
    assert Backlog(()).oldest_within(1000, 1000) is None


def test_thousands_that_lack_now_cpu_now_memory_are_not_asked_one_by_one() -> None:
    # A tenth of a core and half the memory are left, of which small pods take some and give it back.
    full = a_traced("full", cpu_milli=1900, memory_mib=2048, lasts=10_000)
    wide = [a_traced(f"w{n}", at=2 * n / 9000, cpu_milli=1000, memory_mib=64, lasts=1) for n in range(9000)]
    tall = [a_traced(f"t{n}", at=2 * n / 9000, cpu_milli=100, memory_mib=4096, lasts=1) for n in range(9000)]
    small = [a_traced(f"s{n}", at=3 + n, cpu_milli=50, memory_mib=50, lasts=0.5) for n in range(4000)]
    begun = time.process_time()
    replayed(a_trace(full, *wide, *tall, *small), NODES, config=a_scene(nodes=1))
    # One by one it takes five seconds, and four times as long for twice as many.
    assert time.process_time() - begun < 2
