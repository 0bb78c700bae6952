"""A serving certificate that the cluster signs, through its whole life."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import structlog
from cryptography import x509

from app.ports.failures import Refused, Unavailable
from app.tls.authority import Authority
from app.tls.serving_context import ServingContext
from app.tls.signed import RETRY, SignedCertificate, SignedConfig
from tests.fakes import VirtualClock
from tests.tls.fakes import FakeSigner

DAY = 86_400.0


@dataclass
class Keeping:
    """A certificate that is kept under virtual time; its life is 100 days, its jitter 0.5."""

    context: ServingContext
    signer: FakeSigner
    clock: VirtualClock

    def served(self) -> bytes:
        return self.context.pair.cert_pem if self.context.pair else b""

    async def signed(self, name: str, **life: timedelta) -> None:
        """Sign, and let it be noticed."""
        self.signer.sign(name, now=self.clock.now(), **life)
        await self.clock.advance(31)


async def kept(approve: bool) -> AsyncIterator[Keeping]:
    clock, context = VirtualClock(), ServingContext()
    signer = FakeSigner(Authority.create("cluster", now=clock.now()))
    config = SignedConfig(node="fargate-a", ips=("10.0.0.7",), signer="s/x", approve=approve)
    keeper = SignedCertificate(context, signer, clock=clock, config=config, jitter=lambda: 0.5)
    running = asyncio.create_task(keeper.run())
    await clock.advance(0)
    yield Keeping(context, signer, clock)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def keeping() -> AsyncIterator[Keeping]:
    async for each in kept(approve=False):
        yield each


@pytest.fixture
async def approving() -> AsyncIterator[Keeping]:
    async for each in kept(approve=True):
        yield each


async def test_the_request_names_the_node_its_group_its_address_and_its_use(keeping: Keeping) -> None:
    wanted = keeping.signer.wanted[0]
    csr = x509.load_pem_x509_csr(wanted.csr.encode())
    names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert csr.subject.rfc4514_string() == "CN=system:node:fargate-a,O=system:nodes"
    assert names.get_values_for_type(x509.DNSName) == ["fargate-a"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.7"]
    assert csr.is_signature_valid
    assert (wanted.signer, wanted.usages) == ("s/x", ("digital signature", "server auth"))


async def test_what_was_signed_is_served(keeping: Keeping) -> None:
    assert keeping.context.pair is None
    await keeping.signed("csr-1")
    assert keeping.served() == keeping.signer.requests["csr-1"].certificate.encode()


async def test_nobody_approves_for_us_and_the_log_names_the_command(keeping: Keeping) -> None:
    with structlog.testing.capture_logs() as logged:
        await keeping.clock.advance(601)
    waiting = [each for each in logged if "waits for approval" in each["event"]]
    assert len(waiting) == 1
    assert "kubectl certificate approve csr-1" in waiting[0]["event"]
    assert not keeping.signer.requests["csr-1"].approved
    assert len(keeping.signer.wanted) == 1


async def test_we_approve_our_own_where_we_are_told_to(approving: Keeping) -> None:
    assert approving.signer.requests["csr-1"].approved


async def test_a_certificate_is_renewed_before_its_end_with_another_key(approving: Keeping) -> None:
    await approving.signed("csr-1")
    first = approving.context.pair
    await approving.clock.advance(79 * DAY)
    assert len(approving.signer.wanted) == 1
    await approving.clock.advance(DAY)
    assert approving.context.pair == first
    await approving.signed("csr-2")
    assert approving.context.pair is not None
    assert first is not None
    assert approving.context.pair.key_pem != first.key_pem
    assert len(approving.signer.wanted) == 2


async def test_a_denied_request_leaves_the_old_certificate_and_is_followed_by_another(
    keeping: Keeping,
) -> None:
    await keeping.signed("csr-1")
    first = keeping.served()
    await keeping.clock.advance(80 * DAY)
    keeping.signer.change("csr-2", problem="Denied by policy")
    with structlog.testing.capture_logs() as logged:
        await keeping.clock.advance(60)
    assert any(
        "Denied by policy" in str(each) and "csr-2" in each["mend"] for each in logged if "mend" in each
    )
    assert keeping.served() == first
    assert len(keeping.signer.wanted) == 2
    await keeping.clock.advance(600)
    assert len(keeping.signer.wanted) == 3
    await keeping.signed("csr-3")
    assert keeping.served() != first


async def test_a_request_that_was_collected_is_followed_by_another(keeping: Keeping) -> None:
    del keeping.signer.requests["csr-1"]
    await keeping.clock.advance(31)
    assert len(keeping.signer.wanted) == 2


async def test_a_request_that_was_collected_before_we_could_approve_it_is_followed_by_another(
    approving: Keeping,
) -> None:
    await approving.signed("csr-1")
    approving.signer.refuses_approval = True
    await approving.clock.advance(80 * DAY)
    del approving.signer.requests["csr-2"]
    approving.signer.refuses_approval = False
    await approving.clock.advance(2 * RETRY)
    assert approving.signer.requests["csr-3"].approved


async def test_a_certificate_of_another_key_is_not_served_and_asked_for_again_later(keeping: Keeping) -> None:
    leaf = keeping.signer.authority.issue("other", now=keeping.clock.now(), server=True)
    keeping.signer.change("csr-1", certificate=leaf.cert_pem.decode())
    await keeping.clock.advance(60)
    assert keeping.context.pair is None
    assert len(keeping.signer.wanted) == 1
    await keeping.clock.advance(601)
    assert len(keeping.signer.wanted) == 2


async def test_a_certificate_that_has_ended_already_does_not_start_a_storm_of_requests(
    approving: Keeping,
) -> None:
    approving.signer.sign("csr-1", now=approving.clock.now() - timedelta(days=2), life=timedelta(days=1))
    await approving.clock.advance(300)
    assert len(approving.signer.wanted) == 1


@pytest.mark.parametrize("failure", [Unavailable("no answer"), Refused("forbidden")])
async def test_an_api_server_that_does_not_help_is_asked_again(
    keeping: Keeping, failure: Unavailable | Refused
) -> None:
    keeping.signer.failure = failure
    await keeping.clock.advance(60)
    keeping.signer.failure = None
    await keeping.signed("csr-1")
    await keeping.clock.advance(RETRY)
    assert keeping.served()
