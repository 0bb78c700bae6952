"""The order in which a task's containers start, stop and restart. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-restart-policy.html

What the API reference leaves open is decided as the ECS agent does it: agent/engine/dependencygraph/graph.go
in aws/amazon-ecs-agent (verifyContainerOrderingStatusResolvable), and its pull request 3218. A dependency
that can no longer be met, since the target failed where SUCCESS was asked, or never started, or outran its
startTimeout, is final for the dependent container, which then counts as stopped with exit code 143. HEALTHY
has no such end: who waits for an unhealthy or stopped container goes on waiting (aws/containers-roadmap,
issue 2379).
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from app.local.fargate.definitions.container_spec import ContainerSpec, Dependency

Readiness = Literal["start", "wait", "never"]


class State(msgspec.Struct, frozen=True):
    """A container's state: PENDING, RUNNING or STOPPED, how it ended, and how healthy it is.

    `started` says whether it ever ran; `late` whether it ran longer than its startTimeout allows.
    """

    status: str
    exit_code: int | None = None
    started: bool = True
    health: str = "UNKNOWN"
    late: bool = False


def readiness(spec: ContainerSpec, states: Mapping[str, State]) -> Readiness:
    """Whether a container that has not started may do so now."""
    answers = [_met(dependency, states[dependency.container_name]) for dependency in spec.depends_on]
    if "never" in answers:
        return "never"
    return "wait" if "wait" in answers else "start"


def _met(dependency: Dependency, state: State) -> Readiness:
    if state.status == "PENDING":
        return "wait"
    if not state.started:
        return "never"
    if _holds(dependency.condition, state):
        return "start"
    failed = dependency.condition == "SUCCESS" and state.status == "STOPPED"
    outran = state.late and state.status == "RUNNING"
    return "never" if failed or outran else "wait"


def _holds(condition: str, state: State) -> bool:
    match condition:
        case "HEALTHY":
            return state.health == "HEALTHY"
        case "COMPLETE":
            return state.status == "STOPPED"
        case "SUCCESS":
            return state.status == "STOPPED" and state.exit_code == 0
        case _:  # START
            return True


def hindrance(spec: ContainerSpec, states: Mapping[str, State]) -> str:
    """Why a container will never start, in the agent's words; empty where it still may."""
    for dependency in spec.depends_on:
        state = states[dependency.container_name]
        if _met(dependency, state) == "never":
            return (
                "CannotStartContainerError: dependency graph: failed to resolve container ordering "
                f"dependency [{dependency.container_name}] for target [{spec.name}]{_because(state)}"
            )
    return ""


def _because(state: State) -> str:
    if not state.started:
        return " because dependency will never start"
    return " has timed out." if state.late else " as dependency did not exit successfully."


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
