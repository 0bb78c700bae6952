"""Where the parts of a local stack find each other: addresses and files, chosen before the programs start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.local.fargate.config import FargateConfig
from app.local.loopback import LOOPBACK, free_ports
from app.model.actuator import SCHEDULER, Actuator
from app.wiring.local import helper
from app.wiring.local.options import LocalOptions


@dataclass(frozen=True, slots=True)
class Places:
    """What the programs' flags and environment are made of."""

    directory: Path
    kubeconfig: Path
    fargate: FargateConfig
    fargate_url: str
    webhook_port: int
    extender_port: int
    kubelet_port: int
    probe_port: int
    zone: str
    api_port: int
    lease_seconds: int = 3
    node_lease_seconds: int = 40
    helper_image: str = ""
    actuator: Actuator = SCHEDULER
    flags: Mapping[str, Mapping[str, str | bool]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def webhook_url(self) -> str:
        """The webhook's base URL."""
        return f"https://{LOOPBACK}:{self.webhook_port}"

    @property
    def extender_url(self) -> str:
        """The extender's base URL."""
        return f"https://{LOOPBACK}:{self.extender_port}"

    @property
    def bridge_url(self) -> str:
        """The base URL of the bridge's probes."""
        return f"http://{LOOPBACK}:{self.probe_port}"


def chosen_places(
    options: LocalOptions, *, kubeconfig: Path, api_port: int, fargate_url: str, has_helper: bool
) -> Places:
    """The places of one stack; each program gets a port that is free now.

    Args:
        options: what the stack is to be.
        kubeconfig: the programs' own.
        api_port: the API server's.
        fargate_url: where the embedded Fargate listens.
        has_helper: whether pods can have the in-task helper.
    """
    webhook, extender, kubelet, probe = free_ports(4)
    return Places(
        directory=options.directory,
        kubeconfig=kubeconfig,
        fargate=options.fargate,
        fargate_url=fargate_url,
        webhook_port=webhook,
        extender_port=extender,
        kubelet_port=kubelet,
        probe_port=probe,
        zone=options.nodes[0].zone if options.nodes else "us-east-1a",
        api_port=api_port,
        node_lease_seconds=options.node_lease_seconds,
        helper_image=helper.IMAGE if has_helper else "",
        actuator=options.actuator,
        flags=options.program_flags,
        variables=options.variables,
    )
