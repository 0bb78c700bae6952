"""Encryption of a session's content with a data key of KMS: AES-GCM, the nonce before the text. Pure.

https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-enable-encryption.html
"""

from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 64
"""One half opens what the agent sends, the other seals what we send."""

_NONCE_BYTES: Final = 12


class SealError(Exception):
    """What arrived was not sealed with the session's key."""


class DataKey(msgspec.Struct, frozen=True):
    """A key of `KEY_BYTES`, and the same as KMS has encrypted it, which only the agent's role can decrypt."""

    plain: bytes
    sealed: bytes


class Cipher:
    """Both directions of one session."""

    def __init__(self, key: bytes, *, random_bytes: Callable[[int], bytes]) -> None:
        """`random_bytes` gives so many, anew with each call."""
        half = KEY_BYTES // 2
        self._opening = AESGCM(key[:half])
        self._sealing = AESGCM(key[half:KEY_BYTES])
        self._random_bytes = random_bytes

    def sealed(self, text: bytes) -> bytes:
        """What goes out."""
        nonce = self._random_bytes(_NONCE_BYTES)
        return nonce + self._sealing.encrypt(nonce, text, None)

    def opened(self, sealed: bytes) -> bytes:
        """What came in.

        Raises:
            SealError: it was sealed with another key, or changed on its way.
        """
        try:
            return self._opening.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:
            raise SealError("a message of the session was not sealed with its key") from error
