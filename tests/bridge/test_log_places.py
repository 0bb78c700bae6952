"""Which log groups are read, and how many: pods' owners can write any."""

from app.bridge.log_places import MOST_OTHER_GROUPS, groups_of
from app.model.pod import Pod
from tests.bridge.fakes import TASK
from tests.builders import a_pod


def in_group(number: int, group: str) -> Pod:
    uid = f"u{number}"
    written = {"spillway.dev/log-group": group, "spillway.dev/attempt-of": uid}
    return a_pod(f"web-{number}", uid=uid, annotations=written)


def test_the_settings_group_is_the_first_whoever_writes_there() -> None:
    assert groups_of([], settings=TASK) == (TASK.log_group,)
    pods = [a_pod("web-0", uid="u0"), in_group(1, TASK.log_group), in_group(2, "/before")]
    assert groups_of(pods, settings=TASK) == (TASK.log_group, "/before")


def test_many_forged_groups_do_not_hide_the_one_that_most_pods_have() -> None:
    forged = [in_group(number, f"/forged-{number}") for number in range(50)]
    before = [in_group(number, "/before") for number in range(100, 103)]
    own, *others = groups_of([*forged, *before], settings=TASK)
    assert own == TASK.log_group
    assert others[0] == "/before"
    assert len(others) == MOST_OTHER_GROUPS
