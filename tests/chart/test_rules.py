"""Rules that every object of every combination keeps."""

from collections.abc import Iterator, Mapping

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from app.cli.drain_run import SOMETHING_LEFT
from app.cli.main import cli
from tests.chart.rendering import Json, container, environment, one, pod_spec, rendered, title, workloads

RUN_ONCE = {"Job", "Pod"}
PROBED = ("bridge", "extender", "issuer", "scheduler", "webhook")


@pytest.fixture(scope="session")
def pods(distinct: tuple[Json, ...]) -> tuple[Json, ...]:
    """Every workload of any combination."""
    return tuple(workloads(distinct))


def rules(all_objects: tuple[Json, ...]) -> Iterator[tuple[str, Json]]:
    for each in all_objects:
        for rule in each.get("rules", []) if each["kind"] in {"Role", "ClusterRole"} else []:
            yield title(each), rule


def test_images_have_a_version(pods: tuple[Json, ...]) -> None:
    images = {container(each)["image"] for each in pods}
    assert [image for image in images if image.endswith(":latest") or not {":", "@"} & set(image)] == []


def test_containers_have_requests_and_limits(pods: tuple[Json, ...]) -> None:
    sizes = [container(each)["resources"] for each in pods]
    assert [
        size
        for size in sizes
        if {"cpu", "memory"} - size["requests"].keys() or {"cpu", "memory"} - size["limits"].keys()
    ] == []


def test_whatever_runs_on_is_probed(pods: tuple[Json, ...]) -> None:
    running = [container(each) for each in pods if each["kind"] not in RUN_ONCE]
    assert {each["name"] for each in running} == set(PROBED)
    assert [
        each["name"] for each in running if {"startupProbe", "livenessProbe", "readinessProbe"} - each.keys()
    ] == []


def test_probes_ask_a_port_that_the_container_has(pods: tuple[Json, ...]) -> None:
    for each in (container(each) for each in pods if each["kind"] not in RUN_ONCE):
        asked = {
            each[probe]["httpGet"]["port"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        }
        assert asked <= {port["name"] for port in each["ports"]}


def test_containers_are_restricted(pods: tuple[Json, ...]) -> None:
    for each in pods:
        assert container(each)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_pods_are_restricted(pods: tuple[Json, ...]) -> None:
    for each in pods:
        context = pod_spec(each)["securityContext"]
        assert (context["runAsNonRoot"], context["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
        assert context["runAsUser"] > 0


def test_programs_with_a_read_only_root_have_room_for_temporary_files(pods: tuple[Json, ...]) -> None:
    for each in (each for each in pods if container(each)["name"] != "scheduler"):
        assert {"name": "tmp", "mountPath": "/tmp"} in container(each)["volumeMounts"]  # noqa: S108


def test_every_mount_has_its_volume(pods: tuple[Json, ...]) -> None:
    for each in pods:
        volumes = {volume["name"] for volume in pod_spec(each)["volumes"]}
        assert {mount["name"] for mount in container(each)["volumeMounts"]} == volumes


def test_services_of_the_namespace_never_become_settings(pods: tuple[Json, ...]) -> None:
    assert {pod_spec(each).get("enableServiceLinks") for each in pods} == {False}


def test_no_pod_mounts_a_key_of_a_ca(pods: tuple[Json, ...]) -> None:
    secrets = {
        volume["secret"]["secretName"]
        for each in pods
        for volume in pod_spec(each)["volumes"]
        if "secret" in volume
    }
    assert [name for name in secrets if name.endswith("-ca")] == []


def test_no_object_holds_a_secret(distinct: tuple[Json, ...]) -> None:
    secrets = [each for each in distinct if each["kind"] == "Secret"]
    assert {title(each) for each in secrets} == {"Secret/spillway-tls", "Secret/spillway-ca"}
    assert [each for each in secrets if "data" in each or "stringData" in each] == []


def test_no_rule_has_a_wildcard(distinct: tuple[Json, ...]) -> None:
    found = [
        name for name, rule in rules(distinct) if "*" in rule["verbs"] + rule["resources"] + rule["apiGroups"]
    ]
    assert found == []


BUILT_IN = {
    "system:auth-delegator",
    "system:kube-scheduler",
    "system:volume-scheduler",
    "extension-apiserver-authentication-reader",
}
"""Roles of Kubernetes that are bound; never cluster-admin, admin, edit or view."""


def test_only_our_own_roles_and_few_built_in_ones_are_bound(distinct: tuple[Json, ...]) -> None:
    bound = {each["roleRef"]["name"] for each in distinct if "roleRef" in each}
    ours = {each["metadata"]["name"] for each in distinct if each["kind"] in {"Role", "ClusterRole"}}
    assert bound - ours == BUILT_IN


READ_BY_NAME = {"spillway-issuer", "spillway-bridge-material"}


def test_nobody_lists_or_watches_secrets(distinct: tuple[Json, ...]) -> None:
    found = [(name, rule) for name, rule in rules(distinct) if "secrets" in rule["resources"]]
    assert {name.partition("/")[2] for name, _ in found} == READ_BY_NAME
    assert {verb for _, rule in found for verb in rule["verbs"]} == {"get", "patch", "create"}


def test_nodes_are_changed_by_name_alone(distinct: tuple[Json, ...]) -> None:
    changing = [
        rule
        for _, rule in rules(distinct)
        if {"nodes", "nodes/status"} & set(rule["resources"])
        and {"patch", "update", "delete"} & set(rule["verbs"])
    ]
    assert changing
    assert [rule for rule in changing if not rule.get("resourceNames")] == []


def test_nobody_may_change_roles_or_act_as_others(distinct: tuple[Json, ...]) -> None:
    verbs = {verb for _, rule in rules(distinct) for verb in rule["verbs"]}
    assert verbs <= {"get", "list", "watch", "create", "update", "patch", "delete", "approve"}
    assert "rbac.authorization.k8s.io" not in {
        group for _, rule in rules(distinct) for group in rule["apiGroups"]
    }


def test_certificates_are_approved_only_where_it_is_wished(
    combinations: Mapping[str, tuple[Json, ...]],
) -> None:
    approving = {
        name
        for name, made in combinations.items()
        for _, rule in rules(made)
        if "approve" in rule["verbs"] and rule["resourceNames"] == ["beta.eks.amazonaws.com/app-serving"]
    }
    assert approving == {"several-nodes", "irsa", "pod-identity"}


def test_the_webhook_has_no_token(default: tuple[Json, ...]) -> None:
    assert one(default, "ServiceAccount/spillway-webhook")["automountServiceAccountToken"] is False
    assert pod_spec(one(default, "Deployment/spillway-webhook"))["automountServiceAccountToken"] is False


@pytest.mark.parametrize("name", ["webhook", "extender"])
def test_what_others_wait_for_runs_twice_in_different_places(default: tuple[Json, ...], name: str) -> None:
    workload = one(default, f"Deployment/spillway-{name}")
    assert workload["spec"]["replicas"] == 2
    assert one(default, f"PodDisruptionBudget/spillway-{name}")["spec"]["maxUnavailable"] == 1
    assert [each["topologyKey"] for each in pod_spec(workload)["topologySpreadConstraints"]] == [
        "topology.kubernetes.io/zone"
    ]
    assert "podAntiAffinity" in pod_spec(workload)["affinity"]


def test_a_single_bridge_has_no_budget_that_would_hold_up_a_node_drain(default: tuple[Json, ...]) -> None:
    assert [title(each) for each in default if each["kind"] == "PodDisruptionBudget"] == [
        "PodDisruptionBudget/spillway-extender",
        "PodDisruptionBudget/spillway-webhook",
    ]


def test_with_one_extender_there_is_no_budget_for_it() -> None:
    made = rendered({"extender": {"replicas": 1}})
    assert "PodDisruptionBudget/spillway-extender" not in [title(each) for each in made]


def test_where_roles_are_given_none_is_made(combinations: Mapping[str, tuple[Json, ...]]) -> None:
    kinds = {each["kind"] for each in combinations["given-accounts"]}
    assert not kinds & {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ServiceAccount"}


def test_the_bridge_reads_in_the_named_namespaces_alone(combinations: Mapping[str, tuple[Json, ...]]) -> None:
    bound = [
        (each["kind"], each["metadata"].get("namespace"))
        for each in combinations["irsa"]
        if each.get("roleRef", {}).get("name") == "spillway-bridge-material"
    ]
    assert bound == [("RoleBinding", "ci"), ("RoleBinding", "shop")]


ONCE = "before-hook-creation,hook-succeeded"


@pytest.fixture(scope="session")
def hooks(default: tuple[Json, ...]) -> tuple[Json, ...]:
    """Those of an uninstall."""
    return tuple(
        each
        for each in default
        if each["metadata"].get("annotations", {}).get("helm.sh/hook", "test") != "test"
    )


def test_the_overflow_ends_before_anything_is_taken_away(hooks: tuple[Json, ...]) -> None:
    job = one(hooks, "Job/spillway-drain")
    assert job["metadata"]["annotations"] == {
        "helm.sh/hook": "pre-delete",
        "helm.sh/hook-delete-policy": ONCE,
    }
    assert container(job)["args"] == ["drain", "--delete-nodes", "--timeout=240s"]


def test_what_asks_aws_whether_tasks_are_left_has_the_bridges_account(hooks: tuple[Json, ...]) -> None:
    assert pod_spec(one(hooks, "Job/spillway-drain"))["serviceAccountName"] == "spillway-bridge"


def test_the_leases_go_when_everything_else_is_gone(hooks: tuple[Json, ...]) -> None:
    job = one(hooks, "Job/spillway-drain-leases")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "post-delete"
    assert container(job)["args"][-2:] == ["--after-uninstall", "--skip-aws"]
    assert pod_spec(job)["serviceAccountName"] == "spillway-drain"


def test_what_the_second_job_needs_is_there_for_that_time_alone(hooks: tuple[Json, ...]) -> None:
    around = [each["metadata"]["annotations"] for each in hooks if each["kind"] != "Job"]
    assert len(around) == 7
    assert [each for each in around if each != AFTER] == []


AFTER = {"helm.sh/hook": "post-delete", "helm.sh/hook-weight": "-5", "helm.sh/hook-delete-policy": ONCE}

HELM_WAITS = 300
"""Seconds, where no --timeout is given."""


def test_both_jobs_end_before_helm_gives_up(hooks: tuple[Json, ...]) -> None:
    for name in ("drain", "drain-leases"):
        assert one(hooks, f"Job/spillway-{name}")["spec"]["activeDeadlineSeconds"] < HELM_WAITS


def test_a_drain_by_force_has_time_for_it() -> None:
    made = rendered({"drain": {"force": True, "timeoutSeconds": 600}})
    assert one(made, "Job/spillway-drain")["spec"]["activeDeadlineSeconds"] == 710


def test_a_drain_that_leaves_something_is_not_begun_again(hooks: tuple[Json, ...]) -> None:
    (rule,) = one(hooks, "Job/spillway-drain")["spec"]["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"] == {"containerName": "drain", "operator": "In", "values": [SOMETHING_LEFT]}


def test_a_release_without_the_gate_drains_its_own_nodes_alone(
    combinations: Mapping[str, tuple[Json, ...]],
) -> None:
    job = one(combinations["bridge-alone"], "Job/spillway-drain")
    assert container(job)["args"][-1] == "--node=fargate-eu"


def test_a_drain_can_be_told_to_insist() -> None:
    made = rendered({"drain": {"force": True, "stopBarePods": True, "timeoutSeconds": 90}})
    assert container(one(made, "Job/spillway-drain"))["args"][2:] == [
        "--timeout=90s",
        "--force",
        "--stop-bare-pods",
    ]


def test_the_flags_of_the_drain_are_its_own(hooks: tuple[Json, ...]) -> None:
    commands = get_command(cli)
    assert isinstance(commands, TyperGroup)
    known = {flag for each in commands.commands["drain"].params for flag in each.opts}
    made = rendered({"drain": {"force": True, "stopBarePods": True}}, base="bridge-alone")
    for name in ("drain", "drain-leases"):
        given = {flag.partition("=")[0] for flag in container(one(made, f"Job/spillway-{name}"))["args"][1:]}
        assert given <= known


def test_a_test_of_the_release_is_one_pod_that_asks_the_doctor(default: tuple[Json, ...]) -> None:
    (pod,) = (
        each
        for each in default
        if each["metadata"].get("annotations", {}).get("helm.sh/hook", "").startswith("test")
    )
    assert title(pod) == "Pod/spillway-doctor"
    assert pod["metadata"]["annotations"] == {"helm.sh/hook": "test", "helm.sh/hook-delete-policy": ONCE}
    assert (container(pod)["args"], environment(pod)) == (["doctor"], {"SPILLWAY_NAMESPACE": "spillway"})
    assert pod_spec(pod)["serviceAccountName"] == "spillway-doctor"


def test_a_test_of_the_release_can_be_left_out() -> None:
    made = rendered({"doctor": {"enabled": False}})
    assert [title(each) for each in made if each["metadata"]["name"] == "spillway-doctor"] == []
