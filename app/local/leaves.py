"""The certificates that every local cluster needs, and keys as files that only their owner can read."""

from datetime import datetime
from pathlib import Path
from typing import Final

from app.local.loopback import LOOPBACK
from app.tls.authority import Authority, Leaf

KUBELET_CLIENT: Final = "kube-apiserver-kubelet-client"
"""The user name under which the API server comes to kubelets."""

_API_SERVER_NAMES: Final = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


def apiserver_leaf(authority: Authority, *, now: datetime, ips: tuple[str, ...] = ()) -> Leaf:
    """The API server's own certificate: for loopback, its Service's names, and further addresses."""
    return authority.issue(
        "kube-apiserver", now=now, dns=_API_SERVER_NAMES, ips=(LOOPBACK, *ips), server=True
    )


def kubelet_client_leaf(authority: Authority, *, now: datetime) -> Leaf:
    """The certificate that the API server shows to kubelets (system:masters)."""
    return authority.issue(KUBELET_CLIENT, now=now, organizations=("system:masters",), client=True)


def write_leaf(directory: Path, name: str, leaf: Leaf) -> tuple[Path, Path]:
    """Write `NAME.crt` and `NAME.key` in PEM; their paths."""
    cert, key = directory / f"{name}.crt", directory / f"{name}.key"
    cert.write_bytes(leaf.cert_pem)
    write_private(key, leaf.key_pem)
    return cert, key


def write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone can read, at no moment anybody else."""
    path.touch(mode=0o600)
    path.write_bytes(content)
