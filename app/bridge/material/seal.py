"""Sealing what travels in a task's overrides, so that only the task's helper can read it.

ChaCha20-Poly1305 (RFC 8439) under one key per cluster, which lives in the vault; helper/README.md, `sealed`.
"""

import base64
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from app.bridge.material.recent import Recent
from app.ports.clock import Clock
from app.ports.failures import NotFound, Refused, Unavailable
from app.ports.vault import Vault

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
_FIELD: Final = "key"
_FRESH: Final = 600.0
"""Seconds until the vault is asked again: a key that somebody removed is made anew."""


class SealKey(msgspec.Struct, frozen=True):
    """The key, and where a task finds it; its text form never shows it."""

    value_from: str
    key: bytes

    def __repr__(self) -> str:
        return f"SealKey({self.value_from})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        """What rich prints in place of the fields."""
        return [("value_from", self.value_from)]


def sealed(text: str, key: SealKey, *, identity: str, nonce: bytes) -> str:
    """Base64 of nonce, ciphertext and tag. `identity` is the additional data: no other task can open it."""
    box = ChaCha20Poly1305(key.key).encrypt(nonce, text.encode(), identity.encode())
    return base64.b64encode(nonce + box).decode()


class SealKeys:
    """The cluster's seal key, made by whichever bridge needs it first."""

    def __init__(
        self, vault: Vault, *, name: str, clock: Clock, random_bytes: Callable[[int], bytes]
    ) -> None:
        """Ask nothing yet; `random_bytes` must be fit for keys."""
        self._vault = vault
        self._name = name
        self._random_bytes = random_bytes
        self._recent: Recent[str, SealKey] = Recent(clock=clock, seconds=_FRESH)

    async def current(self) -> SealKey:
        """The key that all bridges of the cluster seal with.

        Raises:
            PortFailure: the vault's; Refused too where the entry holds no key of ours.
        """
        return await self._recent.of(self._name, self._ask)

    async def _ask(self) -> SealKey:
        """Offer a key and read back: of two bridges that offer one, the vault keeps the first."""
        name = self._name
        arn = await self._vault.keep(name, {_FIELD: self._random_bytes(KEY_BYTES).hex()})
        try:
            content = await self._vault.read(arn)
        except NotFound as failure:
            raise Unavailable(f"{name} was stored and is not shown yet") from failure
        return SealKey(f"{arn}:{_FIELD}::", _key_in(content.get(_FIELD, ""), name))


def _key_in(text: str, name: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise Refused(
            f"{name} in AWS Secrets Manager holds no key of {KEY_BYTES} bytes; delete it, it is made anew"
        )
    return key
