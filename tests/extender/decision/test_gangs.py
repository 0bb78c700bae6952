from typing import Any

import pytest

from app.extender.decision.decisions import Burst, Refuse
from app.extender.decision.gangs import gang_of
from app.fargate.eligibility import refusals
from app.model.names import OVERFLOW, REQUIRED
from tests.builders import a_pod
from tests.extender.fakes import a_pressing_pod
from tests.extender.plans import only, planned


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        pytest.param(
            {"labels": {"scheduling.x-k8s.io/pod-group": "train"}},
            "Gang",
            "metadata.labels[scheduling.x-k8s.io/pod-group]",
            id="coscheduling",
        ),
        pytest.param(
            {"labels": {"pod-group.scheduling.sigs.k8s.io": "train"}},
            "Gang",
            "metadata.labels[pod-group.scheduling.sigs.k8s.io]",
            id="coscheduling before 1.22",
        ),
        pytest.param(
            {"labels": {"pod-group.scheduling.sigs.k8s.io/name": "train"}},
            "Gang",
            "metadata.labels[pod-group.scheduling.sigs.k8s.io/name]",
            id="coscheduling without a PodGroup",
        ),
        pytest.param(
            {"labels": {"kueue.x-k8s.io/pod-group-name": "train"}},
            "Gang",
            "metadata.labels[kueue.x-k8s.io/pod-group-name]",
            id="Kueue, by label",
        ),
        pytest.param(
            {"annotations": {"kueue.x-k8s.io/pod-group-name": "train"}},
            "Gang",
            "metadata.annotations[kueue.x-k8s.io/pod-group-name]",
            id="Kueue, by annotation",
        ),
        pytest.param(
            {"annotations": {"scheduling.k8s.io/group-name": "train"}},
            "Gang",
            "metadata.annotations[scheduling.k8s.io/group-name]",
            id="Volcano",
        ),
        pytest.param(
            {"annotations": {"scheduling.volcano.sh/group-name": "train"}},
            "Gang",
            "metadata.annotations[scheduling.volcano.sh/group-name]",
            id="Volcano's own name",
        ),
        pytest.param(
            {"annotations": {"gang.scheduling.koordinator.sh/name": "train"}},
            "Gang",
            "metadata.annotations[gang.scheduling.koordinator.sh/name]",
            id="Koordinator",
        ),
        pytest.param(
            {"annotations": {"yunikorn.apache.org/task-group-name": "train"}},
            "Gang",
            "metadata.annotations[yunikorn.apache.org/task-group-name]",
            id="YuniKorn",
        ),
        pytest.param(
            {"annotations": {"autoscaling.x-k8s.io/consume-provisioning-request": "train"}},
            "ProvisioningRequest",
            "metadata.annotations[autoscaling.x-k8s.io/consume-provisioning-request]",
            id="ProvisioningRequest",
        ),
        pytest.param(
            {"annotations": {"cluster-autoscaler.kubernetes.io/consume-provisioning-request": "train"}},
            "ProvisioningRequest",
            "metadata.annotations[cluster-autoscaler.kubernetes.io/consume-provisioning-request]",
            id="ProvisioningRequest, the older name",
        ),
    ],
)
def test_a_pod_of_a_group_is_left_alone_with_the_reason(
    fields: dict[str, Any], code: str, field: str
) -> None:
    pod = a_pressing_pod(**fields)
    decision = only(planned(pod))
    assert isinstance(decision, Refuse)
    [reason] = decision.reasons
    assert (reason.code, reason.field) == (code, field)
    assert '"train"' in reason.message


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="no group"),
        pytest.param({"labels": {"scheduling.x-k8s.io/pod-group": ""}}, id="a group without a name"),
        pytest.param({"labels": {"kueue.x-k8s.io/queue-name": "team"}}, id="queued by Kueue alone"),
    ],
)
def test_a_pod_of_no_group_may_burst(fields: dict[str, Any]) -> None:
    assert gang_of(a_pod(**fields)) is None


def test_a_pod_with_a_scheduling_group_is_refused_as_not_runnable() -> None:
    pod = a_pressing_pod(schedulingGroup={"podGroupName": "train"})
    decision = only(planned(pod, refusals=refusals))
    assert isinstance(decision, Refuse)
    assert [each.code for each in decision.reasons] == ["SchedulingGroup"]


def test_a_group_that_must_overflow_bursts_whole() -> None:
    labels = {OVERFLOW: REQUIRED, "scheduling.x-k8s.io/pod-group": "train"}
    decided = planned(a_pressing_pod("a", labels=labels), a_pressing_pod("b", labels=labels))
    assert [type(each) for each in decided.decisions] == [Burst, Burst]
