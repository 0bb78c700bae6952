"""What RBAC on a real API server lets each program do, and what it does not."""

from collections.abc import Mapping

import pytest

from app.doctor.rights import CA_SECRET, TLS_SECRET, Setup, questions
from app.doctor.rights import WEBHOOK as WEBHOOK_CONFIGURATION
from tests.chart.rendering import NAMESPACE, Json, is_hook, path_of
from tests.conformance.servers import APPLY, ApiServer

RBAC = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}

BRIDGE = "spillway-bridge"
DOCTOR = "spillway-doctor"
DRAIN = "spillway-drain"
EXTENDER = "spillway-extender"
ISSUER = "spillway-issuer"
WEBHOOK = "spillway-webhook"
SCHEDULER = "spillway-scheduler"

Question = tuple[str, str, str, str]
"""Who, the verb, the resource as `group/resource/subresource`, and where as `namespace/name`."""

NEEDED = Setup(
    namespace=NAMESPACE,
    accounts={"extender": EXTENDER, "bridge": BRIDGE, "issuer": ISSUER},
    when=frozenset({"toleration", "return-home", "signer", "insight"}),
    overflow=("shop",),
    nodes=("fargate",),
    names={TLS_SECRET: "spillway-tls", CA_SECRET: "spillway-ca", WEBHOOK_CONFIGURATION: "spillway"},
)
"""The default installation, as `spillway doctor` asks about it."""

REFUSED: tuple[Question, ...] = (
    (BRIDGE, "list", "/secrets", "/"),
    (BRIDGE, "list", "/configmaps", "shop/"),
    (BRIDGE, "delete", "/nodes", "/ec2-0"),
    (BRIDGE, "patch", "/nodes", "/ec2-0"),
    (BRIDGE, "patch", "/nodes/status", "/ec2-0"),
    (BRIDGE, "patch", "coordination.k8s.io/leases", "kube-node-lease/ec2-0"),
    (BRIDGE, "create", "/pods", "shop/"),
    (BRIDGE, "create", "/pods/exec", "shop/web"),
    (BRIDGE, "update", "certificates.k8s.io/certificatesigningrequests/approval", "/spillway-x"),
    (BRIDGE, "approve", "certificates.k8s.io/signers", "/kubernetes.io/kubelet-serving"),
    (BRIDGE, "get", "/services", "shop/web"),
    (BRIDGE, "get", "/namespaces", "/shop"),
    (EXTENDER, "get", "coordination.k8s.io/leases", "kube-node-lease/ec2-0"),
    (EXTENDER, "patch", "coordination.k8s.io/leases", "kube-node-lease/fargate"),
    (EXTENDER, "get", "/secrets", f"{NAMESPACE}/spillway-ca"),
    (EXTENDER, "get", "/configmaps", "shop/settings"),
    (EXTENDER, "patch", "/nodes/status", "/ec2-0"),
    (EXTENDER, "patch", "/nodes", "/fargate"),
    (EXTENDER, "delete", "/pods", "shop/web"),
    (EXTENDER, "create", "/pods", f"{NAMESPACE}/"),
    (EXTENDER, "create", "scheduling.k8s.io/priorityclasses", "/"),
    (EXTENDER, "update", "coordination.k8s.io/leases", "kube-system/kube-scheduler"),
    (ISSUER, "get", "/secrets", f"{NAMESPACE}/other"),
    (ISSUER, "list", "/secrets", f"{NAMESPACE}/"),
    (ISSUER, "get", "/secrets", "shop/password"),
    (ISSUER, "patch", "admissionregistration.k8s.io/mutatingwebhookconfigurations", "/other"),
    (DOCTOR, "create", "/pods", "shop/"),
    (DOCTOR, "get", "/nodes/proxy", "/fargate"),
    (DOCTOR, "get", "/secrets", f"{NAMESPACE}/spillway-tls"),
    (WEBHOOK, "get", "/pods", "shop/web"),
    (WEBHOOK, "list", "/nodes", "/"),
)
DRAINED: tuple[Question, ...] = (
    (BRIDGE, "list", "/nodes", "/"),
    (BRIDGE, "patch", "/nodes", "/fargate"),
    (BRIDGE, "delete", "/nodes", "/fargate"),
    (BRIDGE, "list", "/pods", "/"),
    (BRIDGE, "create", "/pods/eviction", "shop/web"),
    (BRIDGE, "delete", "/pods", "shop/web"),
    (BRIDGE, "get", "apps/replicasets", "shop/web"),
    (BRIDGE, "list", "coordination.k8s.io/leases", "kube-node-lease/"),
    (BRIDGE, "patch", "coordination.k8s.io/leases", "kube-node-lease/fargate"),
)
REMOVED: tuple[Question, ...] = (
    (DRAIN, "get", "/namespaces", "/kube-system"),
    (DRAIN, "list", "/nodes", "/"),
    (DRAIN, "delete", "/nodes", "/fargate"),
    (DRAIN, "list", "/pods", "/"),
    (DRAIN, "delete", "/pods", f"{NAMESPACE}/placeholder"),
    (DRAIN, "list", "coordination.k8s.io/leases", "kube-node-lease/"),
    (DRAIN, "create", "coordination.k8s.io/leases", "kube-node-lease/"),
    (DRAIN, "delete", "coordination.k8s.io/leases", "kube-node-lease/fargate"),
    (DRAIN, "delete", "coordination.k8s.io/leases", f"{NAMESPACE}/spillway-gate"),
)
NOT_REMOVED: tuple[Question, ...] = (
    (DRAIN, "get", "/secrets", "shop/password"),
    (DRAIN, "delete", "/pods", "shop/web"),
    (DRAIN, "create", "/pods/eviction", "shop/web"),
    (DRAIN, "delete", "/nodes", "/ec2-0"),
)
HANDED_OVER: tuple[Question, ...] = (
    (EXTENDER, "create", "/pods", f"{NAMESPACE}/"),
    (EXTENDER, "delete", "/pods", f"{NAMESPACE}/placeholder"),
    (EXTENDER, "create", "scheduling.k8s.io/priorityclasses", "/"),
    (EXTENDER, "get", "scheduling.k8s.io/priorityclasses", "/spillway-placeholder"),
    (SCHEDULER, "create", "/pods/binding", "shop/web"),
    (SCHEDULER, "update", "coordination.k8s.io/leases", f"{NAMESPACE}/spillway-scheduler"),
    (SCHEDULER, "list", "storage.k8s.io/storageclasses", "/"),
    (SCHEDULER, "get", "/configmaps", "kube-system/extension-apiserver-authentication"),
)


@pytest.fixture(scope="module")
def ruled(api: ApiServer, combinations: Mapping[str, tuple[Json, ...]]) -> ApiServer:
    """The API server with the roles of the default installation, as long as it runs."""
    give(api, tuple(each for each in combinations["default"] if not is_hook(each)))
    return api


def give(api: ApiServer, made: tuple[Json, ...]) -> None:
    for each in (each for each in made if each["kind"] in RBAC):
        answer = api.patch(path_of(each), each, APPLY, fieldManager="helm", force="true")
        assert answer.is_success, answer.text


def take(api: ApiServer, made: tuple[Json, ...]) -> None:
    for each in (each for each in made if each["kind"] in RBAC):
        assert api.delete(path_of(each)).is_success


def asked(api: ApiServer, user: str, attributes: dict[str, str]) -> bool:
    """What SubjectAccessReview says."""
    spec = {"user": user, "resourceAttributes": attributes}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    answer = api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    return bool(answer.json()["status"]["allowed"])


def may(api: ApiServer, question: Question) -> bool:
    who, verb, what, where = question
    group, _, resource = what.partition("/")
    resource, _, subresource = resource.partition("/")
    namespace, _, name = where.partition("/")
    attributes = {
        "verb": verb,
        "group": group,
        "resource": resource,
        "subresource": subresource,
        "namespace": namespace,
        "name": name,
    }
    return asked(api, f"system:serviceaccount:{NAMESPACE}:{who}", attributes)


def test_every_program_may_do_its_work(ruled: ApiServer) -> None:
    needed = [question for _, question in questions(NEEDED)]
    assert len(needed) > 60
    assert [str(each) for each in needed if not asked(ruled, each.user, each.attributes)] == []


def test_no_program_may_do_more(ruled: ApiServer) -> None:
    assert [question for question in REFUSED if may(ruled, question)] == []


def test_the_bridges_account_may_drain(ruled: ApiServer) -> None:
    assert [question for question in DRAINED if not may(ruled, question)] == []


def test_what_removes_leases_has_its_rights_for_that_time_alone(
    ruled: ApiServer, combinations: Mapping[str, tuple[Json, ...]]
) -> None:
    assert not any(may(ruled, question) for question in REMOVED)
    hooks = tuple(each for each in combinations["default"] if is_hook(each))
    give(ruled, hooks)
    try:
        assert [question for question in REMOVED if not may(ruled, question)] == []
        assert [question for question in NOT_REMOVED if may(ruled, question)] == []
    finally:
        take(ruled, hooks)


def test_hand_over_and_the_second_scheduler_bring_their_rights(
    ruled: ApiServer, combinations: Mapping[str, tuple[Json, ...]]
) -> None:
    made = tuple(each for each in combinations["second-scheduler"] if not is_hook(each))
    give(ruled, made)
    try:
        assert [question for question in HANDED_OVER if not may(ruled, question)] == []
        assert not may(ruled, (EXTENDER, "patch", "/pods", "shop/web"))
    finally:
        take(ruled, made)
        give(ruled, tuple(each for each in combinations["default"] if not is_hook(each)))
