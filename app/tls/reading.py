"""Reading certificates that anybody may have written. Pure."""

from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

CANNOT_READ: Final = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for certificates and keys that are damaged, or of a kind it does not know."""


def has_signed(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Whether it is signed by that authority's key, and names it as its issuer; total."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (*CANNOT_READ, InvalidSignature):
        return False
    return True
