"""Whatever happens in whatever order: one task for each live pod, none for a dead one, and the truth told."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.bridge.interleaving import FAULTS, KINDS, POD_EVENTS, TASK_EVENTS, Step, wrongs_of

steps = st.builds(
    Step,
    what=st.sampled_from(("create", *POD_EVENTS, *TASK_EVENTS, *FAULTS)),
    kind=st.sampled_from(tuple(KINDS)),
    number=st.integers(0, 30),
    pause=st.sampled_from((0, 1, 2, 4, 9, 30)),
)
births = [Step("create", kind, 0, 1) for kind in KINDS]


@pytest.mark.parametrize("listens", [pytest.param(False, id="polling"), pytest.param(True, id="events")])
@given(script=st.lists(steps, max_size=14))
@settings(max_examples=20, print_blob=True)
@example(script=[])
def test_in_the_end_every_live_pod_has_one_task_and_no_dead_pod_has_any(
    script: list[Step], listens: bool
) -> None:
    assert wrongs_of([*births, *script], listens=listens) == []
