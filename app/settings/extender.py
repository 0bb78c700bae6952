"""Settings of the extender."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from app.extender.decision.mode import Mode
from app.extender.decision.preference import preferences_of
from app.extender.homing.node_shape import room_of
from app.model.actuator import SCHEDULER
from app.model.address import is_loopback
from app.model.setting import named
from app.settings.common import CERTIFICATE, Actuating, Duration, InCluster, Names, Serving
from app.settings.watermarks import Watermarks


class ExtenderSettings(Actuating, Watermarks, Serving, InCluster):
    """`spillway extender`; without a certificate it speaks plain HTTP, which only loopback may hear."""

    max_wait: Duration = Field(
        timedelta(0), description="How long pods wait for a real node, unless they say otherwise."
    )
    grant_ttl: Duration = Field(
        timedelta(seconds=60), description="How long a granted pod has to land on the virtual node."
    )
    gate: Mode = Field(
        "auto",
        description="How the gate is run on virtual nodes whose annotation spillway.dev/gate does not say. "
        "`auto`: pods burst when waiting is over and budgets allow; `closed`: nothing new bursts; `open`: "
        "nobody waits, budgets hold; `observe`: nothing bursts and nothing is spent, and it is told what "
        "would have burst, and its price.",
    )
    max_pods: Annotated[int, Field(ge=0)] | None = Field(
        None, description="The most overflow pods in the cluster at once; none means no limit."
    )
    max_vcpu: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="The most Fargate vCPUs of overflow pods in the cluster at once."
    )
    max_hourly_cost: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None, description="The most US dollars that the overflow pods of the cluster may cost an hour."
    )
    observe_file: Path | None = Field(
        None,
        description="With `observe`, a CSV file that gets a line for each pod that would have burst, at its "
        "end; `spillway simulate` reads it.",
    )
    priority_classes: Names = Field(
        (),
        description="What comes first for pods that find no room, by PriorityClass: `NAME=WORD` with commas, "
        "`*` for all others. `burst`: Fargate, nobody is evicted for it; `preempt`: it evicts others, and "
        "never bursts; `preempt-first`: where evicting helps it waits for that, otherwise it bursts; "
        "`wait`: neither. Without a word `preempt-first`. With the actuator `toleration` nobody asks us whom "
        "to evict: set preemptionPolicy: Never in the PriorityClass instead.",
    )
    return_home: bool = Field(
        default=True,
        description="Evict overflow pods that real nodes have had room for, a few at a time, where their "
        "controller has at least two Ready and no PodDisruptionBudget objects.",
    )
    return_after: Duration = Field(
        timedelta(minutes=5), description="How long that room must have lasted, and the pod been Ready."
    )
    return_batch: Annotated[int, Field(ge=1)] = Field(
        2, description="How many pods go home at once; the next follow when these are Ready there."
    )
    return_hold_off: Duration = Field(
        timedelta(minutes=10),
        description="How long a controller is left alone after one of its pods came back to Fargate, or its "
        "eviction was refused; twice as long each time, up to a day.",
    )
    return_jobs: bool = Field(
        default=False,
        description="Move pods of Jobs, too, if their podFailurePolicy ignores DisruptionTarget: their work "
        "begins anew.",
    )
    handover: bool = Field(
        default=False,
        description="Ask the autoscaler for nodes, with placeholder pods, when overflow has cost what a node "
        "would, and hand the pods over. It spends money on nodes.",
    )
    handover_timeout: Duration = Field(
        timedelta(minutes=15),
        description="How long placeholder pods wait for a node; in vain, the next must earn twice the stay.",
    )
    handover_max_nodes: Annotated[int, Field(ge=1)] = Field(
        10, description="The most nodes, as we count, that are asked for and not taken over yet."
    )
    node_shape: str = Field(
        "",
        description="What a node that the autoscaler adds has for pods once DaemonSets are served, as "
        "`cpu=3900m,memory=14Gi`; empty takes the commonest among the nodes that the pods could use.",
    )
    node_hourly_price: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="US dollars for an hour of that node; none takes EC2's list price in us-east-1, or an "
        "estimate from cpu and memory.",
    )
    node_stay: Duration = Field(
        timedelta(hours=1),
        description="The least time that a node is paid for: overflow goes to nodes once it has cost, within "
        "that time, what the node costs for it.",
    )
    placeholder_image: str = Field(
        "registry.k8s.io/pause:3.10", description="The image of placeholder pods: it does nothing."
    )
    placeholder_priority_class: str = Field(
        "spillway-placeholder",
        description="The PriorityClass of placeholder pods; made with value -5 where it is not there.",
    )
    fargate_start: Duration = Field(
        timedelta(seconds=45),
        description="How long a pod takes on Fargate from its grant to running, until the extender has seen "
        "it for itself. A pod waits for a node on its way only where that is expected before.",
    )
    arrival_margin: Duration = Field(
        timedelta(seconds=15),
        description="How much later than expected a node may come before pods wait for it no longer.",
    )
    settling: Duration = Field(
        timedelta(seconds=10),
        description="How long the scheduler may take to fill a node that has come; its longest back-off for "
        "a pod is 10s.",
    )
    early_burst: bool = Field(
        default=False,
        description="Let pods with the annotation `spillway.dev/early-burst: allowed` burst while the "
        "pressure on their nodes is high, before those are full. Configure the scheduler's prioritizeVerb "
        "with it. Autoscalers see the early room as free.",
    )
    early_room: Annotated[int, Field(ge=1, le=100)] = Field(
        2, description="For how many such pods each virtual node keeps room open meanwhile."
    )
    identity: str = Field(
        "", description="This replica's name in the leader election; empty means the host name and pid."
    )
    lease_duration: Duration = Field(
        timedelta(seconds=15), description="How long leadership outlives its last renewal; at least 3 s."
    )

    @model_validator(mode="after")
    def _https_or_loopback(self) -> Self:
        if self.tls_cert is None and not is_loopback(self.host):
            raise ValueError(f"plain HTTP is for loopback only; on {self.host} give {CERTIFICATE}")
        return self

    @model_validator(mode="after")
    def _early_burst_asks_the_scheduler(self) -> Self:
        if self.early_burst and self.actuator != SCHEDULER:
            raise ValueError(
                f"{named('extender', 'early_burst')} works through the scheduler; set "
                f"{named('extender', 'actuator')} to {SCHEDULER}"
            )
        return self

    @field_validator("priority_classes")
    @classmethod
    def _known_words(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        preferences_of(value)
        return value

    @model_validator(mode="after")
    def _handed_over_means_returned(self) -> Self:
        if self.handover and not self.return_home:
            raise ValueError(
                f"{named('extender', 'handover')} moves pods as {named('extender', 'return_home')} does: "
                "leave the latter on, or the former off"
            )
        return self

    @field_validator("node_stay", "handover_timeout")
    @classmethod
    def _lasts(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=1):
            raise ValueError("it must last; write 1s or more")
        return value

    @field_validator("node_shape")
    @classmethod
    def _is_room(cls, value: str) -> str:
        if value:
            room_of(value)
        return value

    @field_validator("lease_duration")
    @classmethod
    def _long_enough(cls, value: timedelta) -> timedelta:
        if value < timedelta(seconds=3):
            raise ValueError("less than 3 s leaves no time to renew; write 3s or more")
        return value
