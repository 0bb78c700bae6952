import asyncio
from collections.abc import Iterator

import pytest

from app.aws.account.account import Account
from app.aws.account.calls import Calls
from app.aws.account.leftovers import Sweeper
from app.aws.account.options import Options
from app.aws.connection import Connection, ConnectionConfig
from tests.aws.account.fakes import HastyClock
from tests.aws.account.moto_server import REGION, Front, environment, running

SERVICES = ("ec2", "ecs", "eks", "events", "iam", "logs", "secretsmanager", "service-quotas", "sqs", "sts")


@pytest.fixture(scope="session")
def moto() -> Iterator[Front]:
    with running() as front:
        yield front


@pytest.fixture
def front(moto: Front) -> Front:
    moto.forget()
    return moto


@pytest.fixture(scope="session")
def connected(moto: Front) -> Iterator[Connection]:
    """One for all tests: clients take long to build."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment(moto).items():
            patched.setenv(name, value)
        connection = asyncio.run(_opened())
    yield connection
    connection.close()


async def _opened() -> Connection:
    connection = await Connection.open(ConnectionConfig(region=REGION, threads=2, launch_threads=1))
    for service in SERVICES:
        await connection.channel(service)
    return connection


@pytest.fixture
def time() -> HastyClock:
    return HastyClock()


@pytest.fixture
def calls(connected: Connection, time: HastyClock) -> Calls:
    return Calls(connected, clock=time)


@pytest.fixture
async def account(calls: Calls, front: Front) -> Account:
    found = await Account.found(calls, name="spillway")
    front.asked.clear()
    return found


@pytest.fixture
def sweeper(calls: Calls, account: Account, time: HastyClock) -> Sweeper:
    return Sweeper(calls, account.names, clock=time)


@pytest.fixture
def vpc(front: Front) -> str:
    return str(front.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"])


@pytest.fixture
def options(account: Account, vpc: str) -> Options:
    return Options(names=account.names, vpc=vpc, pod_cidrs=("10.20.0.0/16",), eks_cluster="prod")
