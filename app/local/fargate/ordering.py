"""The order in which a task's containers start, stop and restart. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-restart-policy.html
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from app.local.fargate.container_spec import ContainerSpec, Dependency

Readiness = Literal["start", "wait", "never"]


class State(msgspec.Struct, frozen=True):
    """A container's state: PENDING, RUNNING or STOPPED, and how it ended."""

    status: str
    exit_code: int | None = None


def readiness(spec: ContainerSpec, states: Mapping[str, State]) -> Readiness:
    """Whether a container that has not started may do so now."""
    answers = [_met(dependency, states[dependency.container_name]) for dependency in spec.depends_on]
    if "never" in answers:
        return "never"
    return "wait" if "wait" in answers else "start"


def _met(dependency: Dependency, state: State) -> Readiness:
    if state.status == "PENDING":
        return "wait"
    if dependency.condition == "START":
        return "start"
    if state.status != "STOPPED":
        return "wait"
    if dependency.condition == "SUCCESS" and state.exit_code != 0:
        return "never"
    return "start"


def next_to_stop(specs: Mapping[str, ContainerSpec], states: Mapping[str, State]) -> tuple[str, ...]:
    """The running containers that no other running container depends on: they stop first."""
    running = {name for name, state in states.items() if state.status == "RUNNING"}
    needed = {each.container_name for name in running for each in specs[name].depends_on}
    return tuple(name for name in states if name in running - needed)


def restarts(spec: ContainerSpec, *, exit_code: int, ran: float) -> bool:
    """Whether ECS restarts a container that ended so after `ran` seconds."""
    policy = spec.restart_policy
    return (
        policy is not None
        and policy.enabled
        and exit_code not in policy.ignored_exit_codes
        and ran >= policy.restart_attempt_period
    )
