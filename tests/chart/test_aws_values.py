"""What `spillway aws init` prints is all that the chart has to be told."""

import pytest

from app.aws.account.names import Names
from app.aws.account.options import Irsa, NodeRole, Options, PodIdentity, Trust
from app.aws.account.values import Made, helm_values
from tests.chart.rendering import CHART, environment, helm, objects, one, pod_spec

NAMES = Names(account="123456789012", region="eu-west-1")
MADE = Made(
    queue_url="https://sqs.eu-west-1.amazonaws.com/123456789012/spillway-task-events",
    security_groups=("sg-0123456789abcdef0",),
)
TRUSTS = [
    pytest.param(
        Irsa(provider="arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B"),
        id="IRSA",
    ),
    pytest.param(PodIdentity(), id="EKS Pod Identity"),
    pytest.param(NodeRole(role="arn:aws:iam::123456789012:role/nodes"), id="kube2iam"),
]


@pytest.mark.parametrize("trust", TRUSTS)
def test_its_values_install_the_chart(trust: Trust) -> None:
    options = Options(names=NAMES, trust=trust, eks_cluster="production")
    values = helm_values(options, MADE, subnets=("subnet-0123456789abcdef0",), public_ip=True)
    outcome = helm(4, "template", "spillway", CHART, "--namespace=spillway", values=values)
    assert outcome.code == 0, outcome.errors
    bridge = one(objects(outcome.output), "StatefulSet/spillway-bridge")
    found = environment(bridge)
    assert found["SPILLWAY_EXECUTION_ROLE"] == "arn:aws:iam::123456789012:role/spillway-execution"
    assert found["SPILLWAY_EVENTS_QUEUE"] == MADE.queue_url
    assert pod_spec(bridge)["serviceAccountName"] == PodIdentity().account.name
