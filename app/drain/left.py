"""What a drain still waits for, each with what keeps it and the mend. Pure."""

from app.drain.config import DrainConfig
from app.drain.facts import Facts, Hold, Left, Memory
from app.drain.standing import JOB, is_bare, is_closed, is_leaving, owner_text, stands
from app.model.names import OVERFLOW, REQUIRED
from app.model.node import Node
from app.model.pod import Pod, controller_of
from app.model.task import Task


def left_of(facts: Facts, memory: Memory, config: DrainConfig) -> tuple[Left, ...]:
    """Open gates, pods that have or may get a task, and tasks."""
    pods = sorted((pod for pod in facts.pods if stands(pod)), key=lambda each: each.key)
    nodes = (node for node in facts.nodes if not is_closed(node))
    return (
        *(_node(node, memory) for node in nodes),
        *(_pod(pod, facts, memory, config) for pod in pods),
        *(_task(task, frozenset(pod.uid for pod in pods)) for task in facts.tasks or ()),
    )


def warnings_of(pod: Pod) -> tuple[str, ...]:
    """What people should know who let this pod be evicted."""
    owner = controller_of(pod)
    said: list[str] = []
    if owner is not None and owner.kind == JOB:
        said.append(
            f"{owner_text(pod)} begins the work of {pod.key} anew, and counts it as failed unless its "
            "podFailurePolicy ignores DisruptionTarget"
        )
    if pod.metadata.labels.get(OVERFLOW) == REQUIRED:
        said.append(
            f"{pod.key} may run on Fargate alone ({OVERFLOW}={REQUIRED}): its successor stays Pending"
        )
    return tuple(said)


def _node(node: Node, memory: Memory) -> Left:
    seen = memory.reopened.get(node.name)
    if seen is not None:
        words = f"it was closed, and somebody opens it again: {seen}; see to that, then run the command again"
        return Left("node", node.name, "GateReopened", words)
    return Left("node", node.name, "GateOpen", "its gate is open: it is to be closed")


def _pod(pod: Pod, facts: Facts, memory: Memory, config: DrainConfig) -> Left:
    if memory.met is not None and pod.uid not in memory.met:
        words = (
            f"{owner_text(pod) or 'somebody'} made it when the gate was closed: pods that name their node or "
            "tolerate everything pass a cordon; take that out of the template or scale it to zero, then run "
            "the command again"
        )
        return Left("pod", pod.key, "CameLater", words)
    if is_leaving(pod):
        words = (
            "it is being deleted: its bridge stops the task first; if no bridge runs, start it or say --force"
        )
        return Left("pod", pod.key, "Leaving", words)
    if is_bare(pod) and not (config.bare or config.force):
        words = "no controller would make it anew; say --stop-bare-pods to end it, or delete it yourself"
        return Left("pod", pod.key, "BarePod", words)
    hold = memory.holds.get(pod.uid)
    if hold is not None:
        return _held(pod, hold)
    if facts.elapsed >= config.end:
        words = "its turn did not come within --timeout; give it a longer one, and run the command again"
        return Left("pod", pod.key, "NotTried", words)
    return Left("pod", pod.key, "ToBeEvicted", "; ".join(["it is to be evicted", *warnings_of(pod)]))


def _held(pod: Pod, hold: Hold) -> Left:
    if hold.by_budget:
        words = f"{hold.words}; mend the budget or the workload, or say --force"
        return Left("pod", pod.key, "HeldByBudget", words)
    words = f"it could not be evicted: {hold.words}; see to that, then run the command again"
    return Left("pod", pod.key, "NotEvicted", words)


def _task(task: Task, pods: frozenset[str]) -> Left:
    pod = f"{task.identity.namespace}/{task.identity.name}" if task.identity else "an unknown pod"
    if task.desired_status == "STOPPED":
        return Left("task", task.arn, "Stopping", f"of {pod}: it is {task.last_status}, told to stop")
    if task.identity is not None and task.identity.uid in pods:
        return Left("task", task.arn, "Running", f"of {pod}, which is not gone yet")
    words = f"of {pod}, which is gone: its bridge stops it when it runs; say --force to stop it from here"
    return Left("task", task.arn, "Orphan", words)
