"""What each signer asks of a certificate request before it signs it.

https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers
https://docs.aws.amazon.com/eks/latest/userguide/cert-signing.html
"""

from collections.abc import Callable, Mapping
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

KUBELET_SERVING: Final = "kubernetes.io/kubelet-serving"
APP_SERVING: Final = "beta.eks.amazonaws.com/app-serving"
_SERVING: Final = frozenset({"digital signature", "key encipherment", "server auth"})
_SERVING_WITHOUT_RSA: Final = _SERVING - {"key encipherment"}
_NODES: Final = ["system:nodes"]


def kubelet_serving(request: x509.CertificateSigningRequest, usages: frozenset[str]) -> str:
    """Why the request is not a kubelet's serving certificate's; "" where it is."""
    names = _names(request)
    usage_rule = f"usages did not match [{' '.join(sorted(_SERVING))}]"
    rules = (
        (_subject(request, NameOID.ORGANIZATION_NAME) == _NODES, "subject organization is not system:nodes"),
        (_has_address(names), "DNS or IP subjectAltName is required"),
        (not _values(names, x509.RFC822Name), "Email subjectAltNames are not allowed"),
        (not _values(names, x509.UniformResourceIdentifier), "URI subjectAltNames are not allowed"),
        (usages in (_SERVING, _SERVING_WITHOUT_RSA), usage_rule),
        (_is_node(request), "subject common name does not begin with system:node:"),
    )
    return next((why for holds, why in rules if not holds), "")


def app_serving(request: x509.CertificateSigningRequest, usages: frozenset[str]) -> str:
    """Why EKS would not sign this for a server of an application; "" where it would."""
    usage_rule = f"usages are not among [{' '.join(sorted(_SERVING))}]"
    rules = (
        (_has_address(_names(request)), "DNS or IP subjectAltName is required"),
        ("server auth" in usages and usages <= _SERVING, usage_rule),
    )
    return next((why for holds, why in rules if not holds), "")


Rule = Callable[[x509.CertificateSigningRequest, frozenset[str]], str]
RULES: Final[Mapping[str, Rule]] = {KUBELET_SERVING: kubelet_serving, APP_SERVING: app_serving}


def _subject(request: x509.CertificateSigningRequest, kind: x509.ObjectIdentifier) -> list[str]:
    return [str(each.value) for each in request.subject.get_attributes_for_oid(kind)]


def _is_node(request: x509.CertificateSigningRequest) -> bool:
    return any(each.startswith("system:node:") for each in _subject(request, NameOID.COMMON_NAME))


def _names(request: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    found = [each.value for each in request.extensions]
    return [name for each in found if isinstance(each, x509.SubjectAlternativeName) for name in each]


def _has_address(names: list[x509.GeneralName]) -> bool:
    return _values(names, x509.DNSName) or _values(names, x509.IPAddress)


def _values(names: list[x509.GeneralName], kind: type[x509.GeneralName]) -> bool:
    return any(isinstance(each, kind) for each in names)
