from collections.abc import AsyncIterator, Iterator

import pytest
from prometheus_client import CollectorRegistry

from app.aws.connection import Connection, ConnectionConfig
from app.aws.limiter import Limiter, Quotas
from app.aws.metrics import AwsMetrics
from tests.aws.fakes import AwsStub
from tests.fakes import VirtualClock


@pytest.fixture
def aws() -> Iterator[AwsStub]:
    stub = AwsStub()
    yield stub
    stub.close()


@pytest.fixture
def config(aws: AwsStub, monkeypatch: pytest.MonkeyPatch) -> ConnectionConfig:
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    return ConnectionConfig(
        region="eu-west-3",
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
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def limiter(clock: VirtualClock, registry: CollectorRegistry) -> Limiter:
    return Limiter(Quotas(), clock=clock, metrics=AwsMetrics(registry))
