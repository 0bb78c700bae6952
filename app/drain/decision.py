"""What to do now about pods and tasks, what is left, and whether it is over. A pure function.

Few pods leave at once, and a controller loses its next one only when it has made the last anew; one whose
next pod finds no room is not waited for again, since that will not change while the gate is closed.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from app.drain.commands import Close, Command, Delete, Evict, Stop
from app.drain.config import DrainConfig
from app.drain.facts import Facts, Gap, Hold, Left, Memory
from app.drain.left import left_of
from app.drain.standing import counted_by, is_bare, is_closed, is_leaving, stands
from app.model.names import PodUid, TaskArn
from app.model.pod import Pod
from app.model.task import Task

_AGREEING: Final = 2
"""Looks that must show a task without its pod before it is stopped."""
WHY: Final = "Spillway: drained by force"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The commands, in order, and what stands until they have worked.

    Attributes:
        left: what keeps the drain from being over.
        is_over: nothing more is to be done: nothing is left, or time is up.
    """

    commands: tuple[Command, ...]
    memory: Memory
    left: tuple[Left, ...]
    is_over: bool


def decide(facts: Facts, memory: Memory, config: DrainConfig) -> Plan:
    """The next step of a drain."""
    gaps, alone = _gaps(facts, memory, config)
    memory = msgspec.structs.replace(
        memory,
        gaps=gaps,
        alone=alone,
        orphans=_orphans(facts, memory),
        holds=_holds(facts, memory),
        met=_met(facts, memory),
    )
    left = left_of(facts, memory, config)
    memory = _timed(facts, memory, config, clear=not left)
    if _is_over(facts, memory, config):
        return Plan(commands=(), memory=memory, left=left, is_over=True)
    evicted = _evictions(facts, memory, config)
    commands = (
        *(Close(node) for node in facts.nodes if not is_closed(node)),
        *(Evict(pod) for pod in evicted),
        *_forced(facts, memory, config),
    )
    opened = {uid: Gap(uid=pod.uid) for pod in evicted if (uid := counted_by(pod))}
    memory = msgspec.structs.replace(memory, gaps={**memory.gaps, **opened})
    return Plan(commands=commands, memory=memory, left=left, is_over=False)


def needs_tasks(pods: Iterable[Pod], elapsed: float, config: DrainConfig) -> bool:
    """Whether it is time to ask ECS: no pod is left to wait for, or pods are taken away by force."""
    return config.asks_aws and (elapsed >= config.timeout or not any(stands(pod) for pod in pods))


def _timed(facts: Facts, memory: Memory, config: DrainConfig, *, clear: bool) -> Memory:
    """Since when what is so has been so.

    Each stage of force begins with the commands of the look that finds it due: a look may take longer than
    a whole stage.
    """
    begins = facts.elapsed + facts.took
    forced = memory.forced_since
    if forced is None and config.force and facts.elapsed >= config.timeout:
        forced = begins
    killed = memory.killed_since
    if killed is None and forced is not None and facts.elapsed - forced >= config.kill:
        killed = begins
    return msgspec.structs.replace(
        memory,
        clear_since=_since(memory.clear_since, facts) if clear else None,
        shown_since=_since(memory.shown_since, facts) if clear and facts.tasks is not None else None,
        forced_since=forced,
        killed_since=killed,
    )


def _since(known: float | None, facts: Facts) -> float:
    return known if known is not None else facts.elapsed


def _is_over(facts: Facts, memory: Memory, config: DrainConfig) -> bool:
    """Where nothing is left, that has to last, even when time is up; else time has to be up."""
    if memory.clear_since is None:
        return _is_time_up(facts, memory, config)
    if facts.tasks is None and config.asks_aws:
        if facts.proof.is_throttled and facts.elapsed < config.end:
            return False
        return facts.elapsed - memory.clear_since >= config.unproven
    since = memory.shown_since if config.asks_aws else memory.clear_since
    return since is not None and facts.elapsed - since >= config.settled


def _is_time_up(facts: Facts, memory: Memory, config: DrainConfig) -> bool:
    """By the clock, and by force only when its last stage had its time, too."""
    if facts.elapsed < config.end:
        return False
    return not config.force or (
        memory.killed_since is not None and facts.elapsed - memory.killed_since >= config.kill
    )


def _evictions(facts: Facts, memory: Memory, config: DrainConfig) -> tuple[Pod, ...]:
    """Who is asked to leave now."""
    if facts.elapsed >= config.timeout:
        return ()
    moving = {pod.uid for pod in facts.pods if stands(pod) and is_leaving(pod)}
    waited_for = {gap.uid for gap in memory.gaps.values()}
    room = config.at_once - len(moving | waited_for)
    busy = set(memory.gaps)
    chosen: list[Pod] = []
    for pod in sorted(facts.pods, key=lambda each: each.key):
        uid = counted_by(pod)
        if len(chosen) >= room:
            break
        if uid in busy or not _may_leave(pod, facts, memory, config):
            continue
        chosen.append(pod)
        if uid and uid not in memory.alone:
            busy.add(uid)
    return tuple(chosen)


def _may_leave(pod: Pod, facts: Facts, memory: Memory, config: DrainConfig) -> bool:
    if not stands(pod) or is_leaving(pod):
        return False
    if is_bare(pod) and not (config.bare or config.force):
        return False
    hold = memory.holds.get(pod.uid)
    return hold is None or facts.elapsed - hold.at >= config.again


def _forced(facts: Facts, memory: Memory, config: DrainConfig) -> tuple[Command, ...]:
    """What force adds: tasks without a pod at any time, and everything once time is up."""
    if not config.force:
        return ()
    orphans = [
        Stop(arn, f"{WHY}: it has no pod")
        for arn, seen in memory.orphans.items()
        if seen >= _AGREEING and not _is_stopping(arn, facts.tasks or ())
    ]
    if memory.forced_since is None:
        return tuple(orphans)
    standing = [pod for pod in facts.pods if stands(pod)]
    if memory.killed_since is None:
        return (*orphans, *(Delete(pod) for pod in standing if not is_leaving(pod)))
    stops = [Stop(task.arn, WHY) for task in facts.tasks or () if task.desired_status != "STOPPED"]
    asked = {each.arn for each in orphans}
    return (
        *orphans,
        *(each for each in stops if each.arn not in asked),
        *(Delete(pod, at_once=True) for pod in standing),
    )


def _is_stopping(arn: str, tasks: Iterable[Task]) -> bool:
    return any(task.arn == arn and task.desired_status == "STOPPED" for task in tasks)


def _gaps(facts: Facts, memory: Memory, config: DrainConfig) -> tuple[Mapping[str, Gap], frozenset[str]]:
    """The controllers whose next pod is still waited for, and those for whom that was in vain."""
    there = {pod.uid for pod in facts.pods}
    gaps: dict[str, Gap] = {}
    alone = set(memory.alone)
    for uid, gap in memory.gaps.items():
        if gap.uid in there:
            gaps[uid] = gap
            continue
        replicas = facts.replicas.get(uid)
        since = gap.since if gap.since is not None else facts.elapsed
        if replicas is None or replicas.ready >= replicas.wanted:
            continue
        if uid in alone or facts.elapsed - since >= config.successor:
            alone.add(uid)
            continue
        gaps[uid] = Gap(uid=gap.uid, since=since)
    return gaps, frozenset(alone)


def _holds(facts: Facts, memory: Memory) -> Mapping[PodUid, Hold]:
    there = {pod.uid for pod in facts.pods if not is_leaving(pod)}
    return {uid: hold for uid, hold in memory.holds.items() if uid in there}


def _met(facts: Facts, memory: Memory) -> frozenset[PodUid] | None:
    if not all(is_closed(node) for node in facts.nodes):
        return None
    return memory.met if memory.met is not None else frozenset(pod.uid for pod in facts.pods)


def _orphans(facts: Facts, memory: Memory) -> Mapping[TaskArn, int]:
    if facts.tasks is None:
        return memory.orphans
    there = {pod.uid for pod in facts.pods if stands(pod)}
    found = (task.arn for task in facts.tasks if task.identity and task.identity.uid not in there)
    return {arn: memory.orphans.get(arn, 0) + 1 for arn in found}
