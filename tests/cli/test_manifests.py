"""The pods that manifests ask for, as their controllers would make them."""

from typing import Any

import pytest

from app.cli.manifests import ManifestError, planned
from app.model.pod import is_of_daemon_set

SPEC = "{containers: [{name: main, image: it}]}"


def only(text: str) -> Any:
    (found,) = planned(text)
    return found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param(f"{{kind: Pod, metadata: {{name: it}}, spec: {SPEC}}}", "Pod", id="pod"),
        pytest.param(
            f"{{kind: Deployment, metadata: {{name: it}}, spec: {{template: {{spec: {SPEC}}}}}}}",
            "Deployment",
            id="deployment",
        ),
        pytest.param(
            f"{{kind: Job, metadata: {{name: it}}, spec: {{template: {{spec: {SPEC}}}}}}}", "Job", id="job"
        ),
        pytest.param(
            f"{{kind: Rollout, metadata: {{name: it}}, spec: {{template: {{spec: {SPEC}}}}}}}",
            "Rollout",
            id="a-controller-of-somebodys-own",
        ),
        pytest.param(
            f"{{kind: PodTemplate, metadata: {{name: it}}, template: {{spec: {SPEC}}}}}",
            "PodTemplate",
            id="template",
        ),
        pytest.param(
            f"{{kind: CronJob, metadata: {{name: it}}, spec: "
            f"{{jobTemplate: {{spec: {{template: {{spec: {SPEC}}}}}}}}}}}",
            "CronJob",
            id="cron-job",
        ),
        pytest.param(
            f"{{kind: List, items: [{{kind: Pod, metadata: {{name: it}}, spec: {SPEC}}}]}}", "Pod", id="list"
        ),
        pytest.param(
            '{"kind": "Pod", "metadata": {"name": "it"}, "spec": {"containers": [{"name": "main"}]}}',
            "Pod",
            id="json",
        ),
    ],
)
def test_the_pods_of_an_object_are_found(text: str, kind: str) -> None:
    found = only(text)
    assert (found.kind, found.name, found.pod.spec.containers[0].name) == (kind, "it", "main")


def test_every_document_of_a_file_counts_and_other_objects_are_passed_over() -> None:
    text = f"---\nkind: ConfigMap\n---\n---\n{{kind: Pod, spec: {SPEC}}}\n---\n{{kind: Pod, spec: {SPEC}}}\n"
    assert len(list(planned(text))) == 2


def test_a_namespace_is_the_objects() -> None:
    text = f"{{kind: Job, metadata: {{name: it, namespace: shop}}, spec: {{template: {{spec: {SPEC}}}}}}}"
    found = only(text)
    assert (found.namespace, found.pod.metadata.namespace) == ("shop", "shop")


def test_a_daemon_sets_pod_has_its_owner() -> None:
    text = f"{{kind: DaemonSet, metadata: {{name: it}}, spec: {{template: {{spec: {SPEC}}}}}}}"
    assert is_of_daemon_set(only(text).pod)


def test_a_stateful_sets_pod_has_a_host_name_and_its_claims() -> None:
    text = """
    kind: StatefulSet
    metadata: {name: db}
    spec:
      serviceName: db
      volumeClaimTemplates: [{metadata: {name: data}}]
      template:
        spec:
          volumes: [{name: data, emptyDir: {}}, {name: tmp, emptyDir: {}}]
          containers: [{name: main}]
    """
    spec = only(text).pod.spec
    assert (spec.hostname, spec.subdomain) == ("db-0", "db")
    assert [volume.name for volume in spec.volumes] == ["data", "tmp"]
    assert spec.volumes[0].persistent_volume_claim.claim_name == "data-db-0"


def test_claims_of_the_wrong_shape_are_none() -> None:
    text = "{kind: StatefulSet, spec: {volumeClaimTemplates: 7, template: {spec: {volumes: [7]}}}}"
    (fault,) = planned(text)
    assert isinstance(fault, ManifestError)
    assert "volumes" in str(fault)


def test_an_indexed_jobs_pod_has_a_host_name() -> None:
    text = (
        "{kind: Job, metadata: {name: it}, spec: "
        f"{{completionMode: Indexed, template: {{spec: {SPEC}}}}}}}"
    )
    assert only(text).pod.spec.hostname == "it-0"


def test_amounts_may_be_numbers_and_nulls_are_nothing() -> None:
    text = """
    kind: Pod
    spec:
      overhead: {cpu: 0.1}
      volumes: [{name: v, emptyDir: {sizeLimit: 1000}}]
      containers: [{name: main, env: null, resources: {requests: {cpu: 1}, limits: {memory: 4e9}}}]
    """
    spec = only(text).pod.spec
    assert spec.overhead == {"cpu": "0.1"}
    assert spec.volumes[0].empty_dir.size_limit == "1000"
    assert spec.containers[0].resources.requests == {"cpu": "1"}


def test_a_date_is_a_text() -> None:
    text = f"{{kind: Pod, metadata: {{annotations: {{since: 2026-01-01}}}}, spec: {SPEC}}}"
    assert only(text).pod.metadata.annotations == {"since": "2026-01-01"}


def test_a_field_that_a_pod_does_not_hold_stays_in_the_spec() -> None:
    assert only("{kind: Pod, spec: {teleport: true, containers: []}}").spec["teleport"] is True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("kind: [", "not YAML", id="no-yaml"),
        pytest.param("a: 1", "no kind", id="no-kind"),
        pytest.param("- a", "no kind", id="a-list"),
        pytest.param("just words", "no kind", id="words"),
        pytest.param("kind: Pod", "Pod : it has no spec", id="no-spec"),
        pytest.param(
            "kind: Pod\nmetadata: text\nspec: 7", "Pod : it has no spec", id="spec-of-the-wrong-shape"
        ),
        pytest.param("kind: Pod\nspec: {containers: one}", "containers", id="no-containers"),
        pytest.param(
            "{kind: Pod, metadata: {name: it}, spec: {containers: [{name: a, env: [{name: b, value: 1}]}]}}",
            "Pod it: Expected `str`, got `int` - at `$.spec.containers[0].env[0].value`",
            id="a-number-for-a-text",
        ),
        pytest.param("\x00", "not YAML", id="binary"),
        pytest.param("[" * 5000, "not YAML", id="too-deep"),
    ],
)
def test_what_is_no_manifest_is_said_and_not_a_traceback(text: str, said: str) -> None:
    (fault,) = planned(text)
    assert isinstance(fault, ManifestError)
    assert said in str(fault)
