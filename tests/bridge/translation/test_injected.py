from collections.abc import Set as AbstractSet
from typing import Any

import pytest

from app.bridge.translation.injected import left_out, role_variables, role_volumes, token_volumes
from app.model.pod import Pod
from tests.bridge.translation.builders import settings
from tests.builders import a_container, a_pod

PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN: dict[str, Any] = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
PLAIN: dict[str, Any] = {"configMap": {"name": "c"}}


def pod_with(name: str, source: dict[str, Any], *, path: str = PATH) -> Pod:
    container = a_container(volumeMounts=[{"name": name, "mountPath": path}])
    return a_pod(containers=[container], volumes=[{"name": name, **source}])


@pytest.mark.parametrize(
    ("pod", "names"),
    [
        pytest.param(pod_with("kube-api-access-x", TOKEN), {"kube-api-access-x"}, id="of-admission"),
        pytest.param(pod_with("kube-api-access-x", TOKEN, path="/mine"), set(), id="mounted-elsewhere"),
        pytest.param(pod_with("kube-api-access-x", PLAIN), set(), id="without-a-token"),
        pytest.param(pod_with("mine", TOKEN), set(), id="of-another-name"),
    ],
)
def test_admissions_token_volumes_are_known_by_name_content_and_place(
    pod: Pod, names: AbstractSet[str]
) -> None:
    assert token_volumes(pod) == names


@pytest.mark.parametrize(
    ("pod", "names"),
    [
        pytest.param(pod_with("aws-iam-token", TOKEN), {"aws-iam-token"}, id="irsa"),
        pytest.param(
            pod_with("eks-pod-identity-token", TOKEN), {"eks-pod-identity-token"}, id="pod-identity"
        ),
        pytest.param(pod_with("aws-iam-token", PLAIN), set(), id="without-a-token"),
        pytest.param(pod_with("kube-api-access-x", TOKEN), set(), id="the-clusters-own"),
    ],
)
def test_volumes_that_bring_a_role_are_known_by_name_and_content(pod: Pod, names: AbstractSet[str]) -> None:
    assert role_volumes(pod) == names


def test_a_container_that_does_not_mount_the_roles_token_keeps_its_variables() -> None:
    pod = pod_with("aws-iam-token", TOKEN)
    other = a_pod(containers=[a_container("other")]).spec.containers[0]
    assert role_variables(other, pod=pod) == frozenset()
    assert role_variables(pod.spec.containers[0], pod=pod) == {"AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"}


def test_the_clusters_own_token_is_left_out_only_where_there_is_no_helper() -> None:
    pod = pod_with("kube-api-access-x", TOKEN)
    assert left_out(pod, settings=settings()) == frozenset()
    assert left_out(pod, settings=settings(helper_image="")) == {"kube-api-access-x"}
