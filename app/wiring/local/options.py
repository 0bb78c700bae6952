"""What a local stack is to be, and how it can fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.local.fargate.config import FargateConfig
from app.local.kubelets import FakeNode
from app.model.actuator import SCHEDULER, Actuator


class LocalStackError(RuntimeError):
    """A part of the local stack did not come up, or ended by itself; the message shows the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOptions:
    """What to build.

    Attributes:
        directory: an empty folder for the kubeconfig, certificates and logs.
        nodes: the fake nodes of the cluster.
        fargate: how the embedded Fargate is set up.
        embedded: use the embedded cluster even where a real control plane is found.
        log_level: the programs' least severe level logged.
        programs: which of the three run; without the extender no scheduler is started, either.
        node_lease_seconds: how long a bridge that fell silent keeps the virtual node from another.
        helper: build the in-task helper, where this machine can; pods that need it are refused without.
        actuator: how granted pods come onto the virtual node; with `toleration` the scheduler is a plain one.
        early_burst: pods that allow it may burst before real nodes are full; the scheduler asks for scores.
        flags: further flags of the programs, by program and name, as `{"extender": {"max-wait": "5s"}}`;
            True sets one that takes no value.
        variables: an environment whose `SPILLWAY_*` are passed on to the programs, as far as the stack does
            not set them itself.
    """

    directory: Path
    nodes: tuple[FakeNode, ...]
    fargate: FargateConfig
    embedded: bool = False
    log_level: str = "info"
    programs: tuple[str, ...] = ("bridge", "extender", "webhook")
    node_lease_seconds: int = 40
    helper: bool = True
    actuator: Actuator = SCHEDULER
    early_burst: bool = False
    flags: Mapping[str, Mapping[str, str | bool]] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def program_flags(self) -> Mapping[str, Mapping[str, str | bool]]:
        """The further flags of the programs, with the extender's for early burst where it is wanted."""
        if not self.early_burst:
            return self.flags
        return {**self.flags, "extender": {"early-burst": True, **self.flags.get("extender", {})}}
