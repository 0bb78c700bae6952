"""Redirects, TLS, proxies and bounds, over real sockets."""

import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from aiohttp import web
from yarl import URL

from app.ports.failures import Refused, Unavailable
from app.registry.images import RegistryImages
from app.registry.transport import Bounds, Transport
from tests.fakes import VirtualClock
from tests.registry.fakes import PASSWORD, EveryHost, FakeRegistry, a_login, serving, serving_by


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def far(authority: trustme.CA) -> AsyncIterator[FakeRegistry]:
    """A registry that answers for every host that is not this machine, over TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("registry.example", "storage.example", "registry-1.docker.io").configure_cert(
        context
    )
    async with serving(FakeRegistry(), tls=context) as fake:
        yield fake


@pytest.fixture
async def far_transport(
    authority: trustme.CA, far: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Transport]:
    with authority.cert_pem.tempfile() as path:
        monkeypatch.setenv("SSL_CERT_FILE", path)
        made = Transport(resolver=EveryHost(far.port))
    yield made
    await made.close()


@pytest.fixture
def far_images(far_transport: Transport, clock: VirtualClock) -> RegistryImages:
    return RegistryImages(far_transport, clock=clock)


async def test_a_registry_beyond_this_machine_is_asked_over_tls(
    far: FakeRegistry, far_images: RegistryImages
) -> None:
    far.push("app:1")
    found = await far_images.config("registry.example/app:1", architecture="amd64")
    assert found.entry_point == ("/app",)


async def test_docker_hub_stands_elsewhere_than_its_name_says(
    far: FakeRegistry, far_images: RegistryImages
) -> None:
    far.push("library/busybox:latest")
    await far_images.config("busybox", architecture="amd64")
    assert {each.host for each in far.asked} == {"registry-1.docker.io"}


async def test_a_certificate_of_nobody_we_trust_ends_the_question(
    far: FakeRegistry, clock: VirtualClock
) -> None:
    transport = Transport(resolver=EveryHost(far.port))
    images = RegistryImages(transport, clock=clock)
    with pytest.raises(Unavailable, match="SSL_CERT_FILE"):
        await images.config("registry.example/app:1", architecture="amd64")
    await transport.close()
    assert far.asked == []


async def test_a_certificate_of_another_host_ends_the_question(
    far: FakeRegistry, far_images: RegistryImages
) -> None:
    with pytest.raises(Unavailable):
        await far_images.config("other.example/app:1", architecture="amd64")
    assert far.asked == []


async def test_blobs_elsewhere_are_fetched_without_our_authorization(
    registry: FakeRegistry, storage: FakeRegistry, images: RegistryImages
) -> None:
    registry.auth, registry.users, registry.blob_host = "basic", {"ann": PASSWORD}, f"http://{storage.host}"
    registry.push("app:1")
    storage.push("app:1")
    await images.config(registry.image("app:1"), architecture="amd64", credentials=(a_login(registry.host),))
    assert [each.authorization for each in storage.asked] == [""]


async def test_a_redirect_within_the_registry_keeps_the_authorization(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.auth, registry.users, registry.blob_host = "basic", {"ann": PASSWORD}, f"http://{registry.host}"
    registry.push("app:1")
    await images.config(registry.image("app:1"), architecture="amd64", credentials=(a_login(registry.host),))
    assert registry.asked[-1].path.startswith("/storage/")
    assert registry.asked[-1].authorization == registry.asked[-2].authorization != ""


async def test_a_signed_url_is_followed_to_the_letter(registry: FakeRegistry, transport: Transport) -> None:
    raw: list[str] = []

    async def remember(request: web.Request) -> web.StreamResponse:
        raw.append(request.raw_path)
        return web.Response()

    async with serving_by(remember) as port:
        location = f"http://127.0.0.1:{port}/x%7Ey?signature=a%2Fb%7Ec%3D+d"
        registry.fault("/v2/", web.Response(status=307, headers={"Location": location}))
        await ask(transport, registry.port)
    assert raw == ["/x%7Ey?signature=a%2Fb%7Ec%3D+d"]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        pytest.param("http://storage.example/blob", "not HTTPS", id="plain text"),
        pytest.param("https://127.0.0.1/blob", "this machine itself", id="our loopback"),
        pytest.param("http://localhost:8080/metrics", "this machine itself", id="our loopback by name"),
        pytest.param("http://169.254.169.254/latest/meta-data", "this machine's link", id="the metadata"),
        pytest.param("ftp://storage.example/blob", "not HTTPS", id="another scheme"),
        pytest.param("https://[::1", "no whole URL", id="no URL"),
    ],
)
async def test_a_registry_may_not_lead_us_astray(
    far: FakeRegistry, far_images: RegistryImages, location: str, reason: str
) -> None:
    far.fault("/v2/app/manifests/1", web.Response(status=302, headers={"Location": location}))
    with pytest.raises(Refused, match=reason):
        await far_images.config("registry.example/app:1", architecture="amd64")
    assert len(far.asked) == 1


@pytest.mark.parametrize(
    "realm",
    [
        pytest.param("http://auth.example/token", id="plain text"),
        pytest.param("http://127.0.0.1/token", id="our loopback"),
        pytest.param("https://169.254.170.23/v1/credentials", id="our link"),
        pytest.param("https://a:b:c/token", id="no URL"),
    ],
)
async def test_a_token_server_may_not_stand_just_anywhere(
    far: FakeRegistry, far_images: RegistryImages, realm: str
) -> None:
    far.auth, far.challenge = "bearer", f'Bearer realm="{realm}"'
    with pytest.raises(Refused):
        await far_images.config(
            "registry.example/app:1", architecture="amd64", credentials=(a_login("registry.example"),)
        )
    assert len(far.asked) == 1


async def test_a_circle_of_redirects_ends(registry: FakeRegistry, images: RegistryImages) -> None:
    path = "/v2/app/manifests/1"
    registry.fault(path, *(web.Response(status=302, headers={"Location": path}) for _ in range(20)))
    with pytest.raises(Refused, match="redirects more than 5 times"):
        await images.config(registry.image("app:1"), architecture="amd64")
    assert len(registry.asked) == 6


async def test_an_image_on_the_cloud_metadata_address_is_refused(images: RegistryImages) -> None:
    with pytest.raises(Refused, match="this machine's link"):
        await images.config("169.254.169.254/app:1", architecture="amd64")


async def test_a_slow_answer_is_given_up(registry: FakeRegistry, clock: VirtualClock) -> None:
    transport = Transport(bounds=Bounds(request=0.05))
    registry.gate.clear()
    with pytest.raises(Unavailable, match="took too long"):
        await RegistryImages(transport, clock=clock).config(registry.image("app:1"), architecture="amd64")
    await transport.close()


async def test_an_answer_that_never_ends_is_cut_off(transport: Transport) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x" * 65_536)

    async with serving_by(drip) as port:
        with pytest.raises(Refused, match="more than 1000 bytes"):
            await ask(transport, port)


async def test_an_answer_that_breaks_off_is_unavailable(transport: Transport) -> None:
    async def break_off(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return answer

    async with serving_by(break_off) as port:
        with pytest.raises(Unavailable, match="ClientPayloadError"):
            await ask(transport, port)


async def test_a_redirects_signature_stays_out_of_the_failure(
    registry: FakeRegistry, images: RegistryImages
) -> None:
    registry.blob_host = "http://127.0.0.1:1"
    registry.push("app:1")
    with pytest.raises(Unavailable) as raised:
        await images.config(registry.image("app:1"), architecture="amd64")
    assert "signature" not in str(raised.value)


async def test_a_proxy_is_asked_in_the_registrys_place(registry: FakeRegistry, clock: VirtualClock) -> None:
    registry.push("app:1")
    asked: list[str] = []

    def proxy_for(url: str) -> str:
        asked.append(url)
        return f"http://{registry.host}"

    transport = Transport(proxy_for=proxy_for)
    images = RegistryImages(transport, clock=clock)
    found = await images.config("127.0.0.1:1/app:1", architecture="amd64")
    await transport.close()
    assert found.entry_point == ("/app",)
    assert set(asked) == {"http://127.0.0.1:1"}


async def ask(transport: Transport, port: int) -> bytes:
    """The body of the registry's root, of 1000 bytes at most."""
    base = URL(f"http://127.0.0.1:{port}")
    return (await transport.ask("GET", base / "v2/", base=base, headers={}, most=1000)).body
