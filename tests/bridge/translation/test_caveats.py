from typing import Any

import pytest

from app.bridge.translation.caveats import caveats_of, unfound_pulls
from app.bridge.translation.containers.parts import parts_of
from app.model.pod import Pod
from app.model.reason import Reason
from tests.bridge.translation.builders import a_material, settings
from tests.builders import a_container, a_pod


def codes_for(pod: Pod, *brought: Reason) -> list[str]:
    parts = parts_of(pod, places={}, material=a_material(), settings=settings())
    assert isinstance(parts, list)
    return [each.code for each in caveats_of(pod, parts=parts, brought=brought)]


def checking(*words: str) -> dict[str, Any]:
    return {"livenessProbe": {"exec": {"command": list(words)}}}


ADDRESS = {"name": "ADDRESS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
HTTP = {"httpGet": {"path": "/", "port": 80}}


@pytest.mark.parametrize(
    ("pod", "codes"),
    [
        pytest.param(a_pod(), [], id="nothing"),
        pytest.param(
            a_pod(containers=[a_container(env=[ADDRESS], **checking("sh", "-c", "ping $ADDRESS"))]),
            ["ProbeEnvironment"],
            id="a-probe-that-reads-what-the-helper-makes",
        ),
        pytest.param(
            a_pod(containers=[a_container(env=[ADDRESS], **checking("true"))]), [], id="a-probe-that-does-not"
        ),
        pytest.param(
            a_pod(containers=[a_container(env=[ADDRESS], **checking("sh", "-c", "x ${ADDRESS}"))]),
            ["ProbeEnvironment"],
            id="in-braces",
        ),
        pytest.param(
            a_pod(containers=[a_container(env=[ADDRESS], **checking("sh", "-c", "x $ADDRESSES"))]),
            [],
            id="another-variable",
        ),
        pytest.param(
            a_pod(initContainers=[a_container("s", restartPolicy="Always", startupProbe=HTTP)]),
            ["ProbeRestartsAll", "SidecarStaysDown", "StartupNotAwaited"],
            id="a-sidecar's-startup-over-the-network",
        ),
        pytest.param(
            a_pod(
                containers=[a_container(**checking("true"))],
                securityContext={"runAsUser": 1000, "fsGroup": 2000},
            ),
            ["ProbeAsRoot"],
            id="a-probe-beside-groups",
        ),
        pytest.param(
            a_pod(containers=[a_container(**checking("true"))], securityContext={"runAsUser": 1000}),
            [],
            id="a-probe-as-another-user",
        ),
        pytest.param(
            a_pod(
                containers=[a_container(**checking("true"))],
                securityContext={"runAsUser": 0, "fsGroup": 2000},
            ),
            [],
            id="a-probe-of-root's-own",
        ),
        pytest.param(
            a_pod(
                containers=[a_container(livenessProbe=HTTP)],
                securityContext={"runAsUser": 1000, "fsGroup": 2000},
            ),
            [],
            id="a-probe-over-the-network-beside-groups",
        ),
        pytest.param(a_pod(containers=[a_container(startupProbe=HTTP)]), [], id="a-main-container's"),
        pytest.param(a_pod(terminationGracePeriodSeconds=600), ["GracePeriodCut"], id="of-the-pod-alone"),
    ],
)
def test_what_runs_otherwise_than_asked_is_told(pod: Pod, codes: list[str]) -> None:
    assert codes_for(pod) == codes


def test_what_the_volumes_know_better_is_told_once() -> None:
    told = Reason("GracePeriodCut", "in other words")
    assert codes_for(a_pod(terminationGracePeriodSeconds=600), told) == ["GracePeriodCut"]


def test_pull_secrets_that_are_not_there_are_told_in_kubelets_words() -> None:
    assert unfound_pulls(("a", "b")) == (
        Reason(
            "FailedToRetrieveImagePullSecret",
            "Unable to retrieve some image pull secrets (a, b); "
            "attempting to pull the image may not succeed.",
        ),
    )
    assert unfound_pulls(()) == ()
