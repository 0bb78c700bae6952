from collections.abc import AsyncIterator, Iterator

import pytest

from app.aws.connection import Connection, ConnectionConfig, StaticCredentials
from app.aws.limiter import Limiter, Quotas
from tests.aws.fakes import AwsStub
from tests.fakes import VirtualClock


@pytest.fixture
def aws() -> Iterator[AwsStub]:
    stub = AwsStub()
    yield stub
    stub.close()


@pytest.fixture
def config(aws: AwsStub) -> ConnectionConfig:
    return ConnectionConfig(
        region="eu-west-3",
        endpoint_url=aws.url,
        credentials=StaticCredentials("AKIDEXAMPLE", "made-up"),
        threads=4,
        launch_threads=4,
        read_timeout=5.0,
    )


@pytest.fixture
async def connection(config: ConnectionConfig) -> AsyncIterator[Connection]:
    opened = await Connection.open(config)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def limiter(clock: VirtualClock) -> Limiter:
    return Limiter(Quotas(), clock=clock)
