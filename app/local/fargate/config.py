"""How an embedded Fargate is set up: its account, its network, its pace, its images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from app.local.loopback import LOOPBACK

ON_DEMAND: Final = "FARGATE"
SPOT: Final = "FARGATE_SPOT"


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long each stage of a task takes, in seconds.

    The defaults are about what AWS takes. `pending` is the image pull. Stages without a number here last
    as long as the containers make them last. `visible_after` is the eventual consistency: until then a
    new task is MISSING. `logged_after` is the time from a printed line to its place in the log stream.
    `kept` is how long a stopped task stays describable. `spot_notice` is how long before its end a Spot task
    is told, and `deleting` how long at least a deleted definition can still be looked at. `event_after` is
    the time from a change to the event in the queue. `agent` is the time from a container's start until
    sessions can be opened in it, `handshake` how long the agent takes to go on once a session's client has
    answered it, and `idle` how long a session may be without a keystroke or a sign.
    `insights` is the time between two measurements of Container Insights.
    """

    provisioning: float = 8.0
    pending: float = 12.0
    activating: float = 1.0
    deactivating: float = 1.0
    deprovisioning: float = 10.0
    visible_after: float = 1.0
    logged_after: float = 2.0
    kept: float = 3600.0
    spot_notice: float = 120.0
    deleting: float = 60.0
    event_after: float = 0.5
    agent: float = 5.0
    handshake: float = 0.1
    insights: float = 60.0
    idle: float = 1200.0


FAST: Final = Pace(
    provisioning=0.2,
    pending=0.3,
    activating=0.1,
    deactivating=0.1,
    deprovisioning=0.2,
    visible_after=0.1,
    logged_after=0.0,
    spot_notice=2.0,
    event_after=0.05,
    agent=0.2,
    handshake=0.02,
    insights=15.0,
)
"""For demonstrations: every stage is there, none takes long."""


class Subnet(msgspec.Struct, frozen=True, kw_only=True):
    """A subnet whose addresses tasks get, each its own.

    A block inside 127.0.0.0/8 gives addresses that processes on a Linux laptop can listen on.
    """

    id: str
    cidr: str
    zone: str = "us-east-1a"


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an image.

    Attributes:
        files: absolute path in a container → the host's file that stands there, read-only. The rest of the
            root is the host's.
        entry_point, command, environment, user, working_directory: the image's own, which a container
            definition may replace.
        wrappers: programs that execute what follows `--` in their arguments: a container that starts with
            one is real only where the host has that command too.
        simulated: a word of a command → the script (`running.simulated`) that a simulated container of this
            image then follows.
        followers: words of a command: a simulated container of this image ends once all containers that are
            named behind one are over.
    """

    files: Mapping[str, Path] = {}
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    user: str = ""
    working_directory: str = ""
    wrappers: tuple[str, ...] = ()
    simulated: Mapping[str, str] = {}
    followers: tuple[str, ...] = ()


class FargateConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is fixed before the start.

    Attributes:
        clusters: ECS clusters that exist from the start.
        capacity_providers: which of Fargate's those clusters are associated with.
        events_queue: name of the SQS queue that gets an event for each change of a task; empty for none.
        log_groups: log groups that exist from the start.
        throttles: whether AWS's published request limits hold.
        throttle_scale: factor on all of those limits.
        vcpu_quota: vCPUs that may run at a time, on-demand and Spot each; None for no limit (a new AWS
            account has 6).
        simulate_all: run no task as a process of this host.
        container_insights: whether those clusters have Container Insights.
        images: what is known of images, by their names.
        volumes_path: where volumes are kept, EFS file systems for good; without it, in a new directory that
            goes away at the end.
        journal_path: where the journal is written as JSON lines, besides being held in memory.
        host: address to listen on; port: 0 for any free one.
    """

    region: str = "us-east-1"
    account: str = "123456789012"
    clusters: tuple[str, ...] = ("default", "spillway")
    capacity_providers: tuple[str, ...] = (ON_DEMAND, SPOT)
    events_queue: str = ""
    subnets: tuple[Subnet, ...] = (Subnet(id="subnet-local", cidr="127.77.0.0/16"),)
    log_groups: tuple[str, ...] = ("/spillway/pods",)
    pace: Pace = FAST
    throttles: bool = True
    throttle_scale: float = 1.0
    vcpu_quota: float | None = None
    simulate_all: bool = False
    container_insights: bool = False
    images: Mapping[str, Image] = {}
    volumes_path: Path | None = None
    journal_path: Path | None = None
    host: str = LOOPBACK
    port: int = 0

    def arn(self, resource: str, *, service: str = "ecs") -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"
