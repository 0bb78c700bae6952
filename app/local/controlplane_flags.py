"""The command lines of a loopback control plane, as pure functions of ports and file names.

File names are relative: every program runs in the control plane's own directory.
https://kubernetes.io/docs/reference/command-line-tools-reference/
"""

from pathlib import Path

import msgspec

from app.local.loopback import LOOPBACK, free_ports


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """One TCP port on loopback for each listener."""

    apiserver: int
    etcd: int
    etcd_peer: int
    controller_manager: int
    scheduler: int

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nobody listens on now, all different."""
        return cls(**dict(zip(cls.__struct_fields__, free_ports(len(cls.__struct_fields__)), strict=True)))


def etcd(program: Path, ports: Ports) -> list[str]:
    """A single member that never waits for the disk: the data dies with the cluster."""
    clients = f"http://{LOOPBACK}:{ports.etcd}"
    peers = f"http://{LOOPBACK}:{ports.etcd_peer}"
    return [
        str(program),
        "--data-dir=etcd",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",
    ]


def apiserver(program: Path, ports: Ports) -> list[str]:
    """kube-apiserver with RBAC, a token file, and kubelets reached and verified at their InternalIP."""
    return [
        str(program),
        f"--etcd-servers=http://{LOOPBACK}:{ports.etcd}",
        f"--secure-port={ports.apiserver}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        "--tls-cert-file=apiserver.crt",
        "--tls-private-key-file=apiserver.key",
        "--client-ca-file=ca.crt",
        "--token-auth-file=tokens.csv",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--service-cluster-ip-range=10.0.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=service-account.crt",
        "--service-account-signing-key-file=service-account.key",
        "--kubelet-client-certificate=kubelet-client.crt",
        "--kubelet-client-key=kubelet-client.key",
        "--kubelet-certificate-authority=ca.crt",
        "--kubelet-preferred-address-types=InternalIP",
        "--requestheader-client-ca-file=front-proxy-ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--proxy-client-cert-file=front-proxy-client.crt",
        "--proxy-client-key-file=front-proxy-client.key",
        "--max-requests-inflight=1000",
        "--max-mutating-requests-inflight=500",
        "--shutdown-delay-duration=0s",
    ]


def controller_manager(program: Path, ports: Ports) -> list[str]:
    """kube-controller-manager without leader election, with room for bursts of pods."""
    return [
        str(program),
        "--kubeconfig=kubeconfig",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={ports.controller_manager}",
        "--tls-cert-file=component.crt",
        "--tls-private-key-file=component.key",
        "--leader-elect=false",
        "--root-ca-file=ca.crt",
        "--service-account-private-key-file=service-account.key",
        "--cluster-signing-cert-file=ca.crt",
        "--cluster-signing-key-file=ca.key",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--concurrent-replicaset-syncs=20",
    ]


def scheduler(program: Path, ports: Ports) -> list[str]:
    """kube-scheduler with the configuration in `scheduler.json`."""
    return [
        str(program),
        "--config=scheduler.json",
        f"--bind-address={LOOPBACK}",
        f"--secure-port={ports.scheduler}",
        "--tls-cert-file=component.crt",
        "--tls-private-key-file=component.key",
        "--authentication-tolerate-lookup-failure=true",
    ]
