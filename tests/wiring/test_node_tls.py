"""What a node's API needs before it listens, and what it says where that is missing."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from app.ports.failures import NotFound, Refused, Unavailable
from app.settings import BridgeSettings, load
from app.tls.authority import Authority, Leaf
from app.tls.keeping import LOOK_EVERY
from app.wiring.node_tls import NodeTls
from app.wiring.stopping import StartError
from tests.fakes import VirtualClock
from tests.tls.fakes import FakeAuthorities, FakeSigner

SIGNER = "kubernetes.io/kubelet-serving"


class Scene:
    """A node's certificates, on disk and in the cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = VirtualClock()
        self.authority = Authority.create("cluster", now=self.clock.now())
        self.authorities = FakeAuthorities(self.authority.cert_pem.decode())
        self.signer = FakeSigner(self.authority)
        self.pair = self.authority.issue("node", now=self.clock.now(), server=True)
        self.served: list[Leaf] = []

    def write(self, name: str, content: bytes) -> Path:
        (self.folder / name).write_bytes(content)
        return self.folder / name

    def files(self, pair: Leaf) -> dict[str, Any]:
        return {
            "kubelet_cert": self.write("tls.crt", pair.cert_pem),
            "kubelet_key": self.write("tls.key", pair.key_pem),
        }

    def tls(self, **settings: Any) -> NodeTls:
        loaded = load(BridgeSettings, {"subnets": "subnet-a", "internal_ip": "10.0.0.7", **settings})
        return NodeTls(loaded, self.authorities, self.signer, clock=self.clock, loaded=self.served.append)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


async def test_the_files_are_served(scene: Scene) -> None:
    tls = scene.tls(**scene.files(scene.pair))
    await tls.start()
    assert tls.context.pair == scene.pair


async def test_files_that_do_not_belong_together_are_named(scene: Scene) -> None:
    other = scene.authority.issue("other", now=scene.clock.now(), server=True)
    mixed = Leaf(cert_pem=scene.pair.cert_pem, key_pem=other.key_pem)
    with pytest.raises(StartError, match=r"--kubelet-key \(bridge\.kubeletTls\.existingSecret\): .*tls\.crt"):
        await scene.tls(**scene.files(mixed)).start()


async def test_until_the_cluster_signs_a_certificate_of_our_own_is_served(scene: Scene) -> None:
    tls = scene.tls(kubelet_cert_signer=SIGNER, kubelet_cert_approve=True)
    await tls.start()
    assert tls.context.pair is not None
    first = x509.load_pem_x509_certificate(tls.context.pair.cert_pem)
    assert first.subject.rfc4514_string() == "CN=system:node:fargate,O=system:nodes"
    running = asyncio.create_task(tls.run())
    await scene.clock.advance(1)
    scene.signer.sign("csr-1", now=scene.clock.now())
    await scene.clock.advance(31)
    assert tls.context.pair.cert_pem == scene.signer.requests["csr-1"].certificate.encode()
    running.cancel()


async def test_files_are_served_until_the_cluster_signs(scene: Scene) -> None:
    tls = scene.tls(**scene.files(scene.pair), kubelet_cert_signer=SIGNER)
    await tls.start()
    running = asyncio.create_task(tls.run())
    await scene.clock.advance(60)
    assert tls.context.pair == scene.pair
    running.cancel()


async def test_an_authority_in_a_file_that_is_no_pem_is_named(scene: Scene) -> None:
    nonsense = scene.write("ca.crt", b"nonsense")
    with pytest.raises(StartError, match=r"--kubelet-client-ca \(bridge\..*ca\.crt holds no certificate"):
        await scene.tls(**scene.files(scene.pair), kubelet_client_ca=nonsense).start()


async def test_authorities_that_may_not_be_read_stop_the_start_with_the_mend(scene: Scene) -> None:
    scene.authorities.failure = Refused("forbidden; bind the Role")
    with pytest.raises(StartError, match="bind the Role"):
        await scene.tls(**scene.files(scene.pair)).start()


@pytest.mark.parametrize("failure", [Unavailable("no answer"), NotFound("no such ConfigMap")])
async def test_authorities_that_are_not_there_yet_are_waited_for_beside_the_work(
    scene: Scene, failure: Unavailable | NotFound
) -> None:
    scene.authorities.failure = failure
    tls = scene.tls(**scene.files(scene.pair))
    await tls.start()
    running = asyncio.create_task(tls.run())
    scene.authorities.failure = None
    await scene.clock.advance(LOOK_EVERY)
    assert tls._trust._known == scene.authority.cert_pem.decode()
    running.cancel()


async def test_an_authority_in_a_file_stands_in_for_the_clusters(scene: Scene) -> None:
    scene.authorities.failure = Refused("never asked")
    authority = scene.write("ca.crt", scene.authority.cert_pem)
    await scene.tls(**scene.files(scene.pair), kubelet_client_ca=authority).start()


async def test_each_certificate_that_is_taken_into_service_is_heard_of(scene: Scene) -> None:
    tls = scene.tls(**scene.files(scene.pair))
    await tls.start()
    running = asyncio.create_task(tls.run())
    renewed = scene.authority.issue("node", now=scene.clock.now(), server=True)
    scene.files(renewed)
    await scene.clock.advance(LOOK_EVERY)
    running.cancel()
    assert scene.served == [scene.pair, renewed]
