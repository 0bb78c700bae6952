"""What the three programs of a local stack are given: flags, environment and certificates."""

import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from app.local.fargate.config import FargateConfig
from app.local.leaves import write_leaf
from app.local.loopback import LOOPBACK
from app.tls.authority import Authority
from app.wiring.local import variables
from app.wiring.local.places import Places

NODE: Final = "fargate"
NAMESPACE: Final = "spillway"
_OWN_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
_SOURCE: Final = Path(__file__).resolve().parents[3]


def write_certificates(authority: Authority, directory: Path, *, now: datetime) -> None:
    """Serving certificates for the three programs, and the authority, as PEM files in `directory`."""
    (directory / "ca.crt").write_bytes(authority.cert_pem)
    for name in ("webhook", "extender", "kubelet"):
        write_leaf(directory, name, authority.issue(name, now=now, ips=(LOOPBACK,), server=True))


def commands(places: Places, *, log_level: str) -> dict[str, list[str]]:
    """The command line of each program."""
    return {name: _command(name, each) for name, each in flags_of(places, log_level=log_level).items()}


def flags_of(places: Places, *, log_level: str) -> dict[str, dict[str, object]]:
    """The flags of each program."""
    flags: dict[str, dict[str, object]] = {
        "webhook": {
            "port": places.webhook_port,
            "host": LOOPBACK,
            "tls-cert": places.directory / "webhook.crt",
            "tls-key": places.directory / "webhook.key",
        },
        "extender": {
            "port": places.extender_port,
            "host": LOOPBACK,
            "tls-cert": places.directory / "extender.crt",
            "tls-key": places.directory / "extender.key",
            "kubeconfig": places.kubeconfig,
            "namespace": NAMESPACE,
            "lease-duration": places.lease_seconds,
        },
        "bridge": {
            "node-name": NODE,
            "zone": places.zone,
            "region": places.fargate.region,
            "internal-ip": LOOPBACK,
            "kubelet-host": LOOPBACK,
            "kubelet-port": places.kubelet_port,
            "probe-host": LOOPBACK,
            "probe-port": places.probe_port,
            "kubelet-cert": places.directory / "kubelet.crt",
            "kubelet-key": places.directory / "kubelet.key",
            "kubeconfig": places.kubeconfig,
            "namespace": NAMESPACE,
            "ecs-cluster": "spillway",
            "subnets": places.fargate.subnets[0].id,
            "helper-image": places.helper_image,
            "kubernetes-host": LOOPBACK,
            "kubernetes-port": places.api_port,
            "lease-duration": places.node_lease_seconds,
            "events-queue": _queue_url(places.fargate),
            "execution-role": f"arn:aws:iam::{places.fargate.account}:role/spillway-execution",
            "task-role": f"arn:aws:iam::{places.fargate.account}:role/spillway-task",
        },
    }
    for name in ("webhook", "extender"):
        flags[name]["actuator"] = places.actuator
    return {
        name: {**each, "log-level": log_level, **places.flags.get(name, {})} for name, each in flags.items()
    }


def passed_on(places: Places) -> tuple[dict[str, str], tuple[str, ...]]:
    """The user's settings that go to the programs, and the names of those that the stack sets itself."""
    given = flags_of(places, log_level="")
    set_here = {name: {flag.replace("-", "_") for flag in each} for name, each in given.items()}
    return variables.passed_on(places.variables, set_here=set_here)


def _queue_url(fargate: FargateConfig) -> str:
    """The queue of task events as SQS names it; empty where there is none."""
    name = fargate.events_queue
    return f"https://sqs.{fargate.region}.amazonaws.com/{fargate.account}/{name}" if name else ""


def environment(places: Places, *, inherited: Mapping[str, str] | None = None) -> dict[str, str]:
    """What the programs see: the embedded Fargate in place of AWS, and nothing of the user's AWS account."""
    source = os.environ if inherited is None else inherited
    return {
        **passed_on(places)[0],
        **{name: source[name] for name in _OWN_VARIABLES if name in source},
        "PYTHONPATH": str(_SOURCE),
        "AWS_ENDPOINT_URL": places.fargate_url,
        "AWS_REGION": places.fargate.region,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _command(name: str, flags: Mapping[str, object]) -> list[str]:
    given = (f"--{flag}" if value is True else f"--{flag}={value}" for flag, value in flags.items())
    return [sys.executable, "-m", "app", name, *given]
