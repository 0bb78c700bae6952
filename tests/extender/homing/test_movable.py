from datetime import timedelta

import pytest

from app.extender.homing.movable import DO_NOT_DISRUPT, SAFE_TO_EVICT, anchor
from app.model.names import OVERFLOW
from app.model.pod import Pod
from tests.builders import NOON, VIRTUAL, a_pod
from tests.extender.homing.returns import LATER, MINUTE, an_overflow_pod, ready_since

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
APART = {"podAntiAffinity": {REQUIRED: [{"topologyKey": "kubernetes.io/hostname"}]}}


def held_by(pod: Pod, *, jobs: bool = False) -> str:
    reason = anchor(pod, now=LATER, after=5 * MINUTE, jobs=jobs)
    return reason.code if reason else ""


@pytest.mark.parametrize(
    ("pod", "code"),
    [
        pytest.param(an_overflow_pod(), "", id="of a ReplicaSet"),
        pytest.param(an_overflow_pod(kind="StatefulSet"), "", id="of a StatefulSet: its name comes along"),
        pytest.param(an_overflow_pod(annotations={"spillway.dev/capacity": "spot"}), "", id="on Spot"),
        pytest.param(a_pod(node=VIRTUAL, phase="Running", status=ready_since()), "BarePod", id="bare"),
        pytest.param(an_overflow_pod(kind="Job"), "JobPod", id="of a Job"),
        pytest.param(
            an_overflow_pod(kind="Workflow"), "ControllerUnknown", id="of a kind that we cannot ask"
        ),
        pytest.param(an_overflow_pod(labels={OVERFLOW: "required"}), "OverflowRequired", id="Fargate only"),
        pytest.param(
            an_overflow_pod(metadata={"deletionTimestamp": NOON.isoformat()}), "AlreadyLeaving", id="leaving"
        ),
        pytest.param(
            an_overflow_pod(annotations={SAFE_TO_EVICT: "false"}), "KeptByAnnotation", id="not safe to evict"
        ),
        pytest.param(an_overflow_pod(annotations={SAFE_TO_EVICT: "true"}), "", id="safe to evict"),
        pytest.param(
            an_overflow_pod(annotations={DO_NOT_DISRUPT: "true"}),
            "KeptByAnnotation",
            id="not to be disrupted",
        ),
        pytest.param(an_overflow_pod(affinity=APART), "FitUnknown", id="wants to be apart"),
        pytest.param(an_overflow_pod(status=ready_since(status="False")), "NotReady", id="not ready"),
        pytest.param(an_overflow_pod(status={}), "NotReady", id="says nothing"),
        pytest.param(
            an_overflow_pod(status=ready_since(LATER - MINUTE)), "RecentlyReady", id="ready for a minute"
        ),
    ],
)
def test_a_pod_stays_for_its_own_reasons(pod: Pod, code: str) -> None:
    assert held_by(pod) == code


def test_a_jobs_pod_may_go_where_jobs_may() -> None:
    assert held_by(an_overflow_pod(kind="Job"), jobs=True) == ""


def test_a_pod_that_has_been_ready_for_just_long_enough_may_go() -> None:
    pod = an_overflow_pod(status=ready_since(LATER - timedelta(minutes=5)))
    assert held_by(pod) == ""
