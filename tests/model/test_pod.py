"""A pod: who made it, whether it is over, and which taints it bears with."""

import pytest

from app.model.names import TAINT_EFFECT, TAINT_KEY, TAINT_VALUE
from app.model.pod import controller_of, is_of_daemon_set, is_terminal, tolerates
from tests.builders import a_pod, opted_in_toleration, owned_by

OURS = opted_in_toleration()


@pytest.mark.parametrize(
    ("toleration", "bears"),
    [
        pytest.param(OURS, True, id="the-webhooks-own"),
        pytest.param({"operator": "Exists"}, True, id="everything"),
        pytest.param({"key": TAINT_KEY, "operator": "Exists"}, True, id="any-value"),
        pytest.param({"key": TAINT_KEY, "value": TAINT_VALUE}, True, id="equal-is-the-default"),
        pytest.param({**OURS, "operator": ""}, True, id="an-empty-operator-is-equal"),
        pytest.param({**OURS, "effect": "NoExecute"}, False, id="another-effect"),
        pytest.param({**OURS, "value": "azure"}, False, id="another-value"),
        pytest.param({**OURS, "key": "team"}, False, id="another-key"),
        pytest.param({"key": "team", "operator": "Exists"}, False, id="any-value-of-another-key"),
        pytest.param({**OURS, "operator": "Lt"}, False, id="a-comparison-of-numbers"),
    ],
)
def test_a_toleration_bears_with_the_taint(toleration: dict[str, str], bears: bool) -> None:
    pod = a_pod(tolerations=[{"key": "other", "operator": "Exists"}, toleration])
    assert tolerates(pod, key=TAINT_KEY, value=TAINT_VALUE, effect=TAINT_EFFECT) is bears


def test_a_pod_without_tolerations_bears_with_nothing() -> None:
    assert not tolerates(a_pod(), key=TAINT_KEY, value=TAINT_VALUE, effect=TAINT_EFFECT)


def test_only_the_managing_owner_is_the_controller() -> None:
    owners = {"ownerReferences": [{"kind": "DaemonSet", "name": "d"}, *owned_by("Job")["ownerReferences"]]}
    pod = a_pod(metadata=owners)
    controller = controller_of(pod)
    assert controller is not None
    assert controller.kind == "Job"
    assert not is_of_daemon_set(pod)


@pytest.mark.parametrize(
    ("phase", "over"), [("Pending", False), ("Running", False), ("Succeeded", True), ("Failed", True)]
)
def test_a_pod_is_over_in_its_last_phases(phase: str, over: bool) -> None:
    assert is_terminal(a_pod(phase=phase)) is over
