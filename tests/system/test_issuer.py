"""The issuer brings a webhook to life that nobody trusts, and keeps it believed through every rotation."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from app.local.loopback import LOOPBACK
from app.tls.expiry import METRIC
from app.wiring.clock import SystemClock
from tests.system.actors import Actors
from tests.system.conftest import ON_REAL
from tests.system.issuing import Installation
from tests.system.test_bad_input import trusting

pytestmark = [
    pytest.mark.system,
    pytest.mark.asyncio(loop_scope="session"),
]

SHORT_LIVED = ("--leaf-validity=48s", "--renew-before=24s", "--ca-validity=1h", "--propagation=20s")
"""Twenty seconds: our kubelet is half a second late, the webhook looks at its files every ten; the rest is
for a machine that has much else to do."""


@pytest_asyncio.fixture(loop_scope="session")
async def installation(actors: Actors) -> AsyncIterator[Installation]:
    """Registered without a caBundle, and without a Secret."""
    made = Installation(actors, await actors.namespace())
    await made.prepare()
    yield made
    await made.leave()


async def test_a_webhook_without_secret_and_trust_answers_once_the_issuer_runs(
    installation: Installation,
) -> None:
    assert not await installation.mutates()
    async with installation.running(), installation.serving():
        await installation.until_mutated()
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{installation.probe_port}") as client:
            answers = {path: await client.get(path) for path in ("/healthz", "/readyz", "/metrics")}
    assert [each.status_code for each in answers.values()] == [200, 200, 200]
    assert f'{METRIC}{{certificate="issued"' in answers["/metrics"].text


async def test_once_is_enough_for_a_webhook_to_answer(installation: Installation) -> None:
    code, log = await installation.once()
    assert code == 0, log
    async with installation.serving():
        await installation.until_mutated()


@ON_REAL
async def test_without_its_rights_it_ends_with_the_mend(actors: Actors) -> None:
    made = Installation(actors, await actors.namespace())
    await made.prepare(rights=False)
    code, log = await made.once()
    await made.leave()
    assert code == 2
    assert "forbidden" in log
    assert "get and patch on the Secrets spillway-ca and spillway-tls" in log


async def test_two_issuers_renew_a_leaf_and_replace_a_ca_while_every_pod_is_mutated(
    installation: Installation,
) -> None:
    second = installation.running(*SHORT_LIVED, "--probe-port=0")
    async with installation.running(*SHORT_LIVED), second, installation.serving():
        await installation.until_mutated()
        first = installation.served().serial_number
        async with installation.all_mutated() as outcomes:
            await installation.actors.pass_time(32)
            assert installation.served().serial_number != first
            before = installation.served().issuer
            await installation.delete_ca()
            await installation.until_rotated()
            await installation.actors.pass_time(12)
        assert installation.served().issuer != before
        assert len(outcomes) > 100
        assert all(outcomes)


async def test_a_reset_bundle_is_put_back_at_once(installation: Installation) -> None:
    async with installation.running(), installation.serving():
        await installation.until_mutated()
        await installation.reset()
        await installation.until_whole()
        await installation.until_mutated()


@ON_REAL
async def test_when_all_is_written_anew_the_leaf_that_pods_still_serve_is_believed(
    installation: Installation,
) -> None:
    async with installation.running("--propagation=20s"), installation.serving():
        await installation.until_mutated()
        await installation.actors.pass_time(12)
        before = installation.served().issuer
        await installation.write_all_anew()
        await installation.until_whole()
        await installation.until_mutated()
        async with installation.all_mutated() as outcomes:
            await installation.actors.pass_time(15)
        assert installation.served().issuer != before
        assert all(outcomes)


async def test_every_program_tells_when_its_certificate_ends(actors: Actors) -> None:
    places = actors.stack.places
    pages = {
        "webhook": f"{places.webhook_url}/metrics",
        "extender": f"{places.extender_url}/metrics",
        "kubelet": f"http://{LOOPBACK}:{places.probe_port}/metrics",
    }
    async with httpx.AsyncClient(verify=trusting(actors)) as client:
        told = {name: (await client.get(url)).text for name, url in pages.items()}
    now = SystemClock().now().timestamp()
    for name, page in told.items():
        (line,) = [each for each in page.splitlines() if each.startswith(f'{METRIC}{{certificate="{name}"')]
        assert now < float(line.split()[-1]) < now + 400 * 86400
