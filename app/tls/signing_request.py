"""A key, and the PKCS#10 request for a kubelet's serving certificate.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
"""

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from app.tls.authority import alternative_names, key_pem

USAGES: Final = ("digital signature", "server auth")
"""`key encipherment` is for RSA keys, and ours is none."""

GROUP: Final = "system:nodes"
USER: Final = "system:node:"


def serving_request(node: str, *, dns: tuple[str, ...], ips: tuple[str, ...]) -> tuple[bytes, str]:
    """A new key (PEM), and the request (PEM) that it signs, as the signer of kubelets wants it.

    Args:
        node: the node's name, for O=system:nodes, CN=system:node:NODE.
        dns: names at which it is reached.
        ips: addresses at which it is reached.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, GROUP),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{USER}{node}"),
        ]
    )
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(x509.SubjectAlternativeName(alternative_names(dns, ips)), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key_pem(key), request.public_bytes(Encoding.PEM).decode()
