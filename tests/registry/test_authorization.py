"""Who we are to a registry, over real sockets."""

import pytest
from aiohttp import web

from app.model.image import RegistryLogin
from app.model.registry_login import IDENTITY_TOKEN
from app.ports.failures import NotFound, Refused, Throttled, Unavailable
from app.registry.images import RegistryImages
from app.registry.transport import Transport
from tests.fakes import VirtualClock
from tests.registry.fakes import PASSWORD, FakeLogins, FakeRegistry, a_login, an_error


async def test_a_public_image_is_read_with_a_token_for_nobody(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.auth = "bearer"
    registry.push("team/app:1")
    await images.config(registry.image("team/app:1"), architecture="amd64")
    token = next(each for each in registry.asked if each.path == "/token")
    assert token.sent == {"service": "fake registry", "scope": "repository:team/app:pull"}
    assert token.authorization == ""


async def test_one_token_serves_all_requests_of_an_image(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.auth = "bearer"
    registry.push("app:1")
    await images.config(registry.image("app:1"), architecture="amd64")
    assert [(each.path.split("/")[-2], each.authorization) for each in registry.asked] == [
        ("manifests", ""),
        ("", ""),
        ("manifests", "Bearer pull-token"),
        ("blobs", "Bearer pull-token"),
    ]


async def test_the_scope_that_a_registry_names_is_asked_for(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.auth = "bearer"
    registry.challenge = f'Bearer realm="http://{registry.host}/token?a=b",scope="repository:mirror/app:pull"'
    registry.push("app:1")
    await images.config(registry.image("app:1"), architecture="amd64")
    assert registry.asked[1].sent == {"a": "b", "scope": "repository:mirror/app:pull"}


async def test_a_token_may_be_called_access_token(registry: FakeRegistry, images: RegistryImages) -> None:
    registry.auth, registry.token_field = "bearer", "access_token"
    registry.push("app:1")
    found = await images.config(registry.image("app:1"), architecture="amd64")
    assert found.entry_point == ("/app",)


@pytest.mark.parametrize("auth", [pytest.param("bearer", id="token"), pytest.param("basic", id="basic")])
async def test_a_private_image_is_read_with_the_pods_login(
    registry: FakeRegistry, images: RegistryImages, auth: str
) -> None:
    registry.auth, registry.public, registry.users = auth, False, {"ann": PASSWORD}
    registry.push("app:1")
    found = await images.config(
        registry.image("app:1"), architecture="amd64", credentials=(a_login(registry.host),)
    )
    assert found.entry_point == ("/app",)


@pytest.mark.parametrize("auth", [pytest.param("bearer", id="token"), pytest.param("basic", id="basic")])
async def test_without_a_login_a_private_image_is_refused(
    registry: FakeRegistry, images: RegistryImages, auth: str
) -> None:
    registry.auth, registry.public = auth, False
    registry.push("app:1")
    with pytest.raises(Refused, match="give the pod an imagePullSecret"):
        await images.config(registry.image("app:1"), architecture="amd64")


@pytest.mark.parametrize("auth", [pytest.param("bearer", id="token"), pytest.param("basic", id="basic")])
async def test_a_wrong_password_is_refused_and_not_repeated(
    registry: FakeRegistry, images: RegistryImages, auth: str
) -> None:
    registry.auth, registry.public, registry.users = auth, False, {"ann": "another"}
    registry.push("app:1")
    with pytest.raises(Refused, match="the login of 'ann'; renew the imagePullSecret") as refusal:
        await images.config(
            registry.image("app:1"), architecture="amd64", credentials=(a_login(registry.host),)
        )
    assert PASSWORD not in str(refusal.value)


async def test_a_403_is_a_refusal_in_the_registrys_words(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.fault("/v2/app/manifests/1", an_error(403, "Your authorization token has expired."))
    with pytest.raises(Refused, match=r"403 Your authorization token has expired\."):
        await images.config(registry.image("app:1"), architecture="amd64")


async def test_a_registry_that_keeps_asking_is_refused(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="http://{registry.host}/token"'}
    registry.fault("/v2/app/manifests/1", *(an_error(401, "no", challenge) for _ in range(9)))
    with pytest.raises(Refused, match="401 no"):
        await images.config(registry.image("app:1"), architecture="amd64")
    assert len(registry.asked) == 3


@pytest.mark.parametrize(
    "challenge",
    [
        pytest.param("Negotiate", id="a scheme that we lack"),
        pytest.param("Bearer service=x", id="a token from nowhere"),
    ],
)
async def test_a_challenge_that_cannot_be_met_is_a_refusal(
    registry: FakeRegistry, images: RegistryImages, challenge: str
) -> None:
    registry.auth, registry.challenge = "bearer", challenge
    with pytest.raises(Refused, match="authentication required"):
        await images.config(registry.image("app:1"), architecture="amd64")


async def test_an_identity_token_is_exchanged(registry: FakeRegistry, images: RegistryImages) -> None:
    registry.auth, registry.public, registry.identity_tokens = "bearer", False, {"long-lived"}
    registry.push("app:1")
    login = RegistryLogin(registry.host, IDENTITY_TOKEN, "long-lived")
    await images.config(registry.image("app:1"), architecture="amd64", credentials=(login,))
    token = next(each for each in registry.asked if each.path == "/token")
    assert (token.method, token.authorization) == ("POST", "")
    assert token.sent == {
        "grant_type": "refresh_token",
        "service": "fake registry",
        "client_id": "spillway",
        "scope": "repository:app:pull",
        "refresh_token": "long-lived",
    }


async def test_an_identity_token_is_no_password(registry: FakeRegistry, images: RegistryImages) -> None:
    registry.auth = "basic"
    login = RegistryLogin(registry.host, IDENTITY_TOKEN, "long-lived")
    with pytest.raises(Refused):
        await images.config(registry.image("app:1"), architecture="amd64", credentials=(login,))
    assert [each.authorization for each in registry.asked] == [""]


async def test_the_next_login_is_tried_where_one_is_refused(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.auth, registry.public, registry.users = "bearer", False, {"ann": PASSWORD}
    registry.push("team/app:1")
    stale = a_login(f"{registry.host}/team", "old", "rotated")
    found = await images.config(
        registry.image("team/app:1"), architecture="amd64", credentials=(a_login(registry.host), stale)
    )
    assert found.entry_point == ("/app",)


async def test_the_next_login_is_tried_where_a_registry_hides_the_image_from_one(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.push("app:1")
    registry.fault("/v2/app/manifests/1", an_error(404, "manifest unknown"))
    logins = (a_login(registry.host, "bob"), a_login(registry.host, "ann"))
    found = await images.config(registry.image("app:1"), architecture="amd64", credentials=logins)
    assert found.entry_point == ("/app",)


async def test_the_last_refusal_is_told_where_no_login_opens(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.auth = "basic"
    logins = (a_login(registry.host, "bob"), a_login(registry.host, "ann"))
    with pytest.raises(Refused, match="the login of 'ann'"):
        await images.config(registry.image("app:1"), architecture="amd64", credentials=logins)
    assert len(registry.asked) == 4


async def test_an_outage_is_not_repeated_with_every_login(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.fault("/v2/app/manifests/1", an_error(503, "down"))
    logins = (a_login(registry.host, "bob"), a_login(registry.host, "ann"))
    with pytest.raises(Unavailable):
        await images.config(registry.image("app:1"), architecture="amd64", credentials=logins)
    assert len(registry.asked) == 1


async def test_the_login_of_another_registry_is_never_sent(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.auth = "basic"
    with pytest.raises(Refused):
        await images.config(
            registry.image("app:1"), architecture="amd64", credentials=(a_login("registry.example"),)
        )
    assert [each.authorization for each in registry.asked] == [""]


async def test_our_own_login_opens_the_registries_that_know_us(
    registry: FakeRegistry, transport: Transport, clock: VirtualClock
) -> None:
    registry.auth, registry.users = "basic", {"AWS": "from-our-role"}
    registry.push("app:1")
    logins = FakeLogins(registry.host, a_login(registry.host, "AWS", "from-our-role"))
    images = RegistryImages(transport, clock=clock, logins=logins)
    found = await images.config(registry.image("app:1"), architecture="amd64")
    assert found.entry_point == ("/app",)


async def test_our_own_login_comes_after_the_pods(
    registry: FakeRegistry, transport: Transport, clock: VirtualClock
) -> None:
    registry.auth, registry.users = "basic", {"ann": PASSWORD}
    registry.push("app:1")
    logins = FakeLogins(registry.host, a_login(registry.host, "AWS", "from-our-role"))
    images = RegistryImages(transport, clock=clock, logins=logins)
    await images.config(registry.image("app:1"), architecture="amd64", credentials=(a_login(registry.host),))
    assert logins.asked == 0


async def test_our_own_login_helps_where_the_pods_is_stale(
    registry: FakeRegistry, transport: Transport, clock: VirtualClock
) -> None:
    registry.auth, registry.users = "basic", {"AWS": "from-our-role"}
    registry.push("app:1")
    logins = FakeLogins(registry.host, a_login(registry.host, "AWS", "from-our-role"))
    images = RegistryImages(transport, clock=clock, logins=logins)
    found = await images.config(
        registry.image("app:1"), architecture="amd64", credentials=(a_login(registry.host),)
    )
    assert found.entry_point == ("/app",)


async def test_a_registry_that_is_not_ours_is_asked_as_nobody(
    registry: FakeRegistry, transport: Transport, clock: VirtualClock
) -> None:
    registry.push("app:1")
    images = RegistryImages(transport, clock=clock, logins=FakeLogins("ecr.example", a_login("ecr.example")))
    await images.config(registry.image("app:1"), architecture="amd64")
    assert {each.authorization for each in registry.asked} == {""}


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        pytest.param(404, Refused, id="it is not there"),
        pytest.param(429, Throttled, id="too many"),
        pytest.param(503, Unavailable, id="it is ill"),
    ],
)
async def test_a_token_servers_failure_is_not_the_images(
    registry: FakeRegistry, images: RegistryImages, status: int, failure: type[Exception]
) -> None:
    registry.auth = "bearer"
    registry.push("app:1")
    registry.fault("/token", an_error(status, "no token"))
    with pytest.raises(failure, match="token") as raised:
        await images.config(registry.image("app:1"), architecture="amd64")
    assert not isinstance(raised.value, NotFound)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("<html>", id="a page"),
        pytest.param("{}", id="nothing"),
        pytest.param('{"token": "a\\r\\nb: c"}', id="a header in it"),
    ],
)
async def test_a_token_server_without_a_token_is_unavailable(
    registry: FakeRegistry, images: RegistryImages, body: str
) -> None:
    registry.auth = "bearer"
    registry.fault("/token", web.Response(text=body))
    with pytest.raises(Unavailable, match="without a token"):
        await images.config(registry.image("app:1"), architecture="amd64")
