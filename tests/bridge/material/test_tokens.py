"""Service account tokens reach a pod's task sealed, and nobody else."""

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from app.bridge.material.seal import SealKey, SealKeys, sealed
from app.bridge.translation.material import Needs, TokenWish, Unready
from app.model.pod import Pod
from app.ports.failures import Refused, Unavailable
from tests.bridge.material.fakes import TOKEN, Outskirts
from tests.builders import NOON, a_pod, identity_of

SEAL = "spillway/cluster-1/seal-1"
API = TokenWish("", 3607)
VAULT = TokenWish("vault", 600)
KEY_VOLUME = [
    {
        "name": "kube-api-access-x",
        "projected": {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}]},
    }
]


async def gathered(outskirts: Outskirts, pod: Pod, *wishes: TokenWish) -> Any:
    return await outskirts.gatherer.gather(pod, Needs(tokens=frozenset(wishes)), namespace={})


def opened(box: str, outskirts: Outskirts, pod: Pod) -> str:
    """As the helper does it."""
    raw = base64.b64decode(box)
    key = bytes.fromhex(outskirts.vault.content(SEAL)["key"])
    return ChaCha20Poly1305(key).decrypt(raw[:12], raw[12:], identity_of(pod).text().encode()).decode()


async def test_a_token_can_be_opened_with_the_key_in_the_vault_and_the_pods_identity(
    outskirts: Outskirts,
) -> None:
    pod = a_pod()
    found = await gathered(outskirts, pod, API)

    assert opened(found.tokens[API].sealed, outskirts, pod) == f"{TOKEN}-1"
    assert found.tokens[API].expires_at == NOON + timedelta(seconds=3607)
    assert found.seal_key == f"{outskirts.vault.entries[SEAL][0].arn}:key::"
    assert TOKEN not in repr(found)


async def test_a_token_cannot_be_opened_under_another_pods_identity(outskirts: Outskirts) -> None:
    found = await gathered(outskirts, a_pod("web-1"), API)

    with pytest.raises(InvalidTag):
        opened(found.tokens[API].sealed, outskirts, a_pod("web-2"))


async def test_no_token_is_asked_for_while_something_else_is_missing(outskirts: Outskirts) -> None:
    needs = Needs(tokens=frozenset({API}), secrets={"none": False})
    found = await outskirts.gatherer.gather(a_pod(), needs, namespace={})

    assert isinstance(found, Unready)
    assert outskirts.sources.asked["token"] == 0


async def test_each_wish_gets_a_token_and_a_nonce_of_its_own(outskirts: Outskirts) -> None:
    found = await gathered(outskirts, a_pod(), API, VAULT)

    boxes = [base64.b64decode(each.sealed) for each in found.tokens.values()]
    assert len({box[:12] for box in boxes}) == 2
    assert found.tokens[VAULT].expires_at == NOON + timedelta(seconds=600)


async def test_a_pod_that_is_tried_again_gets_the_same_sealed_token(outskirts: Outskirts) -> None:
    pod = a_pod()
    first = await gathered(outskirts, pod, API)
    await outskirts.clock.advance(30)
    again = await gathered(outskirts, pod, API)
    await outskirts.clock.advance(30)
    later = await gathered(outskirts, pod, API)

    assert again.tokens == first.tokens
    assert later.tokens != first.tokens


async def test_a_pod_without_tokens_makes_no_key(outskirts: Outskirts) -> None:
    found = await gathered(outskirts, a_pod())

    assert (found.seal_key, found.tokens, outskirts.vault.entries) == ("", {}, {})


async def test_of_two_bridges_that_make_the_key_at_once_both_use_the_winners(outskirts: Outskirts) -> None:
    keys = [
        SealKeys(outskirts.vault, name=SEAL, clock=outskirts.clock, random_bytes=outskirts.random_bytes)
        for _ in range(2)
    ]

    first, second = await asyncio.gather(*(each.current() for each in keys))

    assert first == second
    assert outskirts.vault.asked["keep"] == 2
    assert outskirts.vault.content(SEAL) == {"key": first.key.hex()}


async def test_the_key_is_asked_for_once(outskirts: Outskirts) -> None:
    await asyncio.gather(*(gathered(outskirts, a_pod(f"web-{n}"), API) for n in range(100)))

    assert outskirts.vault.asked == {"keep": 1, "read": 1}


async def test_a_key_that_somebody_removed_is_made_anew(outskirts: Outskirts) -> None:
    pod = a_pod()
    await gathered(outskirts, pod, API)
    outskirts.vault.entries.clear()
    await outskirts.clock.advance(600)

    found = await gathered(outskirts, pod, API)

    assert opened(found.tokens[API].sealed, outskirts, pod) == f"{TOKEN}-2"


async def test_a_key_that_is_not_shown_yet_is_waited_for(outskirts: Outskirts) -> None:
    outskirts.vault.fails["read"] = Unavailable("no answer")

    with pytest.raises(Unavailable):
        await gathered(outskirts, a_pod(), API)


@pytest.mark.parametrize(
    "key",
    [pytest.param("", id="empty"), pytest.param("no hex", id="text"), pytest.param("00" * 16, id="short")],
)
async def test_an_entry_that_holds_no_key_is_told_of_without_its_content(
    outskirts: Outskirts, key: str
) -> None:
    outskirts.vault.has(SEAL, key=key)

    found = await gathered(outskirts, a_pod(volumes=KEY_VOLUME), API)

    assert isinstance(found, Unready)
    assert found.event == "FailedMount"
    assert "seal-1 in AWS Secrets Manager holds no key of 32 bytes; delete it" in found.message
    assert "00" * 16 not in found.message


async def test_a_token_of_an_account_that_is_not_there_is_a_failed_mount(outskirts: Outskirts) -> None:
    found = await gathered(outskirts, a_pod(volumes=KEY_VOLUME, serviceAccountName="gone"), API)

    assert found == Unready(
        "ContainerCreating",
        'MountVolume.SetUp failed for volume "kube-api-access-x" : failed to fetch token: '
        'serviceaccounts "gone" not found',
        "FailedMount",
    )


async def test_a_token_that_we_may_not_request_is_told_with_the_mend(outskirts: Outskirts) -> None:
    outskirts.sources.fails["token/default"] = Refused("403 forbidden")

    found = await gathered(outskirts, a_pod(volumes=KEY_VOLUME), API)

    assert "create on serviceaccounts/token" in found.message


def test_a_key_never_shows_itself() -> None:
    key = SealKey("arn:key::", b"k" * 32)

    assert repr(key) == "SealKey(arn:key::)"
    assert key.__rich_repr__() == [("value_from", "arn:key::")]


def test_sealing_is_the_helpers_format() -> None:
    box = base64.b64decode(sealed("hello", SealKey("", bytes(32)), identity="pod", nonce=bytes(12)))

    assert box[:12] == bytes(12)
    assert len(box) == 12 + len("hello") + 16
    assert ChaCha20Poly1305(bytes(32)).decrypt(bytes(12), box[12:], b"pod") == b"hello"
