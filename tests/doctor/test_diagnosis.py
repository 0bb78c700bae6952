"""All checks together."""

import pytest

from app.doctor.diagnosis import CHECKS, diagnose
from app.doctor.finding import Level
from app.doctor.seen import Gate, Seen, Unread
from app.model.reason import Reason
from tests.doctor.look import a_look

NOTHING = Unread("GET /x: 403 forbidden")


def test_nothing_fails_where_all_is_well() -> None:
    found = diagnose(a_look())
    assert [each for each in found.findings if each.level in {Level.FAIL, Level.WARN}] == []
    assert found.is_well


def test_what_fails_is_counted_and_is_not_well() -> None:
    found = diagnose(a_look(gate=Gate(troubles=(Reason("NoLeader", "nobody leads; look there"),))))
    assert (found.levels[Level.FAIL], found.is_well) == (1, False)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(
            a_look(
                gate=NOTHING,
                workloads=NOTHING,
                webhooks=NOTHING,
                config_maps=NOTHING,
                hosts=NOTHING,
                answers=NOTHING,
                services=NOTHING,
                policies=NOTHING,
                autoscalers=NOTHING,
                waiting=NOTHING,
                healths={"fargate": NOTHING},
            ),
            id="an account that may read nothing",
        ),
    ],
)
def test_what_may_not_be_read_is_skipped_and_said(seen: Seen) -> None:
    skipped = [each.seen for each in diagnose(seen).findings if "403 forbidden" in each.seen]
    assert len(skipped) == 11


def test_every_finding_that_is_not_ok_and_was_looked_at_names_a_mend() -> None:
    found = diagnose(a_look(webhooks=(), config_maps=(), trials=(), nodes=(), namespaces=()))
    assert all(each.mend for each in found.findings if each.level in {Level.WARN, Level.FAIL})


def test_each_check_is_called_once() -> None:
    assert len(set(CHECKS)) == len(CHECKS) == 13
