"""Our own logins for Amazon ECR."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest

from app.aws.connection import Connection
from app.aws.limiter import Limiter
from app.aws.registry_logins import EcrLogins
from app.model.registry_login import RegistryLogin
from app.ports.failures import PortFailure, Refused, Unavailable
from tests.aws.fakes import HANG_UP, Answer, AwsStub, an_error
from tests.builders import NOON
from tests.fakes import VirtualClock

HOST = "123456789012.dkr.ecr.eu-west-3.amazonaws.com"
ASK = "GetAuthorizationToken"


def a_token(password: str, *, hours: float = 12) -> Answer:
    token = base64.b64encode(f"AWS:{password}".encode()).decode()
    expires = (NOON + timedelta(hours=hours)).timestamp()
    return Answer({"authorizationData": [{"authorizationToken": token, "expiresAt": expires}]})


@pytest.fixture
def logins(connection: Connection, limiter: Limiter, clock: VirtualClock) -> EcrLogins:
    return EcrLogins(connection, limiter=limiter, clock=clock)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param(HOST, id="ordinary"),
        pytest.param("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", id="FIPS"),
        pytest.param("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", id="China"),
        pytest.param("123456789012.dkr-ecr.eu-west-3.on.aws", id="dual stack"),
    ],
)
async def test_a_registry_of_ecr_gets_a_login(aws: AwsStub, logins: EcrLogins, host: str) -> None:
    aws.script(ASK, a_token("pa:ss"))

    assert await logins.login(host) == RegistryLogin(host, "AWS", "pa:ss")


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("docker.io", id="Docker Hub"),
        pytest.param("public.ecr.aws", id="public ECR"),
        pytest.param(f"{HOST}:5000", id="a port"),
        pytest.param(f"{HOST}.evil.example", id="an end that is not Amazon's"),
        pytest.param("evil.example/" + HOST, id="a beginning that is not Amazon's"),
    ],
)
async def test_other_registries_never_see_our_login(aws: AwsStub, logins: EcrLogins, host: str) -> None:
    assert await logins.login(host) is None
    assert aws.requests == []


async def test_a_token_is_asked_for_once_and_shared_by_the_regions_registries(
    aws: AwsStub, logins: EcrLogins
) -> None:
    aws.script(ASK, a_token("pa:ss"))
    hosts = [f"{number:012}.dkr.ecr.eu-west-3.amazonaws.com" for number in range(20)]

    found = await asyncio.gather(*(logins.login(host) for host in hosts))

    assert [each.registry for each in found if each is not None] == hosts
    assert len(aws.asked(ASK)) == 1


async def test_regions_have_tokens_of_their_own(aws: AwsStub, logins: EcrLogins) -> None:
    aws.script(ASK, a_token("one"), a_token("two"))

    first = await logins.login(HOST)
    second = await logins.login(HOST.replace("eu-west-3", "us-east-1"))

    assert [each.password for each in (first, second) if each is not None] == ["one", "two"]


async def test_a_token_is_renewed_before_it_ends(
    aws: AwsStub, logins: EcrLogins, clock: VirtualClock
) -> None:
    aws.script(ASK, a_token("old"), a_token("new", hours=24))
    await logins.login(HOST)
    await clock.advance(11.4 * 3600)
    assert (await logins.login(HOST)) == RegistryLogin(HOST, "AWS", "old")
    await clock.advance(0.2 * 3600)

    assert (await logins.login(HOST)) == RegistryLogin(HOST, "AWS", "new")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param([], id="empty"),
        pytest.param([{"authorizationToken": "hunter2!", "expiresAt": 1767268800}], id="no base64"),
        pytest.param([{"expiresAt": 1767268800}], id="no token"),
    ],
)
async def test_an_answer_that_is_no_login_is_told_of_without_its_content(
    aws: AwsStub, logins: EcrLogins, data: list[dict[str, Any]]
) -> None:
    aws.script(ASK, Answer({"authorizationData": data}))

    with pytest.raises(Unavailable) as failure:
        await logins.login(HOST)
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(an_error("AccessDeniedException", "no"), Refused, id="permission"),
        pytest.param(HANG_UP, Unavailable, id="no answer"),
    ],
)
async def test_failures_are_ours_and_the_next_call_asks_again(
    aws: AwsStub, logins: EcrLogins, answer: Answer, kind: type[PortFailure]
) -> None:
    aws.script(ASK, answer)
    with pytest.raises(kind):
        await logins.login(HOST)
    aws.script(ASK, a_token("pa:ss"))

    assert await logins.login(HOST) is not None
