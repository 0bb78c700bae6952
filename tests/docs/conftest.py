"""The one stack that all pages are played on."""

import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from app.local.fargate.config import FAST, FargateConfig
from app.wiring.clock import SystemClock
from app.wiring.local.options import LocalOptions
from app.wiring.local.stack import LocalStack
from tests.aws.account.moto_server import Front, running
from tests.docs.stage import Stage
from tests.system.conftest import NODES

VPC = "vpc-0a1b2c3d4e5f60718"
SUBNETS = ("subnet-0a1b2c3d4e5f60718", "subnet-0b1c2d3e4f5061728")
NODES_GROUP = "sg-0c1d2e3f405162738"
"""What the pages call them."""


@pytest.fixture(scope="session")
def emulator() -> Iterator[Front]:
    """An AWS account with a VPC in it."""
    with running() as front:
        yield front


@pytest.fixture(scope="session")
def real_ids(emulator: Front) -> Mapping[str, str]:
    """The emulator's names for what the pages name."""
    network = emulator.client("ec2")
    vpc = network.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [each["SubnetId"] for each in network.describe_subnets()["Subnets"]]
    group = network.create_security_group(GroupName="nodes", Description="of the nodes", VpcId=vpc)["GroupId"]
    return {VPC: vpc, NODES_GROUP: group, **dict(zip(SUBNETS, subnets, strict=False))}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """What `spillway local --embedded` starts."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not on PATH")
    options = LocalOptions(
        directory=tmp_path_factory.mktemp("docs-stack"),
        nodes=NODES,
        fargate=FargateConfig(pace=FAST, container_insights=True),
        embedded=True,
    )
    async with LocalStack(options, clock=SystemClock()) as running_stack:
        yield running_stack


@pytest.fixture
def stage(stack: LocalStack, emulator: Front, real_ids: Mapping[str, str], tmp_path: Path) -> Stage:
    """A stage for one page."""
    made = Stage(
        folder=tmp_path,
        variables={
            "KUBECONFIG": str(stack.kubeconfig),
            "AWS_ENDPOINT_URL": stack.places.fargate_url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "SPILLWAY_REGION": stack.options.fargate.region,
            "REHEARSAL_AWS": emulator.url,
        },
        real_ids=real_ids,
    )
    made.set_up()
    return made
