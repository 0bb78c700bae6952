"""The state machine has an answer to everything that ECS can show, and it is the right one."""

import pytest

from tests.bridge.decision.completeness import STATUSES, STOP_CODES, cases, faults


@pytest.mark.parametrize("code", STOP_CODES)
@pytest.mark.parametrize("status", STATUSES)
def test_every_state_of_a_task_is_answered_as_the_table_says(status: str, code: str) -> None:
    assert [fault for case in cases(status, code) for fault in faults(case)] == []
