"""`spillway explain` of live pods: what is printed of each."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from rich.console import Console
from rich.markup import escape

from app.cli import words
from app.extender.insight.explanation import UNPRESSED, Explanation
from app.extender.insight.life import Life
from app.extender.insight.situation import State

CODES: Final[Mapping[State, int]] = {
    "on-node": 0,
    "on-fargate": 0,
    "granted": 0,
    "due": 0,
    "leaving": 0,
    "ended": 0,
    "waiting": 1,
    "observed": 1,
    "refused": 1,
    "not-opted-in": 1,
    "daemon-set": 1,
    "gated": 1,
    "unscheduled": 1,
    "failing": 1,
    "rejected": 1,
    "failed": 1,
}
"""Exit codes: 0 where the pod has a place, or is about to get one on Fargate; 1 where it has none as things
are, or does not run."""

_HEADS: Final[dict[State, tuple[str, str]]] = {
    "not-opted-in": ("red", "does not overflow: it is not opted in"),
    "on-node": ("green", "runs on a real node: it did not need Fargate"),
    "on-fargate": ("green", "is on Fargate"),
    "daemon-set": ("red", "never overflows: a DaemonSet made it"),
    "gated": ("yellow", "is not scheduled yet: it has scheduling gates"),
    "unscheduled": ("yellow", "is not scheduled yet"),
    "granted": ("green", "is granted a place on Fargate"),
    "due": ("green", "may burst now: the leader gives it a place in its next turn"),
    "observed": ("yellow", "would burst, but the gate only observes"),
    "waiting": ("yellow", "waits"),
    "refused": ("red", "does not burst"),
    "leaving": ("yellow", "is being deleted"),
    "ended": ("yellow", "has ended"),
    "failing": ("red", "is on Fargate"),
    "rejected": ("red", "was rejected"),
    "failed": ("red", "failed"),
}
_SETTLED: Final[frozenset[State]] = frozenset(
    {"on-node", "on-fargate", "ended", "leaving", "daemon-set", "failing", "rejected", "failed"}
)
"""States in which neither gate nor budget has a say any more."""

_SINCE: Final[dict[State, str]] = {
    "on-node": "",
    "on-fargate": "",
    "failing": ", when it got its node",
    "rejected": ", when it got its node",
    "failed": ", when it got its node",
    "ended": ", when it got its node",
    "leaving": ", the end of its grace period",
    "unscheduled": ", when it was made",
}


def show(each: Explanation, console: Console) -> None:
    """Print one pod's explanation."""
    colour, head = _HEADS[each.state]
    head = escape(_head(each, head))
    place = f" ({escape(each.node)})" if each.node else ""
    console.print(f"Pod {escape(f'{each.namespace}/{each.name}')}: [{colour}]{head}[/]{place}")
    for label, text in _rows(each, each.at):
        console.print(f"  [bold]{label:<8}[/] {escape(text)}")


def _head(each: Explanation, head: str) -> str:
    """With kubelet's own reason where the pod does not run; that is what people search for."""
    life = each.life
    match each.state:
        case "failing":
            return f"{head}, {life.reason}{_tries(life)}"
        case "rejected":
            return f"{head}: {life.message or life.reason}"
        case "failed" if life.exit_code is not None and life.reason == "Failed":
            return f"{head}: exit {life.exit_code}"
        case "failed":
            return f"{head}: {life.reason}" + (
                f", exit {life.exit_code}" if life.exit_code is not None else ""
            )
        case _:
            return head


def _tries(life: Life) -> str:
    parts = [f"exit {life.exit_code}"] if life.exit_code is not None else []
    parts += [words.count(life.attempts, "attempt")] if life.attempts > 1 else []
    return f" ({', '.join(parts)})" if parts else ""


def _fares(each: Explanation) -> Iterator[tuple[str, str]]:
    """What is said of a pod that has its node, and does not run well there."""
    life = each.life
    if each.state == "on-node" and life.reason:
        yield "why", f"it does not run well there: {life.reason}{_tries(life)}"
    if each.state != "rejected" and life.message:
        yield "why", life.message
    if life.since is not None and each.state == "failing":
        yield "failing", f"since {words.ago(life.since, each.at)}"


def _rows(each: Explanation, now: datetime) -> Iterator[tuple[str, str]]:
    yield from (("why", str(reason)) for reason in each.reasons)
    yield from _fares(each)
    yield from (("then", str(reason)) for reason in each.then)
    yield from _would(each)
    yield from _times(each, now)
    yield from _money(each)
    yield from _task(each)
    if each.home is not None:
        yield "home", str(each.home)
    yield from (("differs", str(caveat)) for caveat in each.caveats)
    if each.level is not None:
        yield "nodes", words.ALONE if each.alone else words.level(each.level)
    if each.state not in _SETTLED:
        yield from (("budget", words.budget(budget)) for budget in each.budgets)
        yield from (("gate", words.gate(gate)) for gate in each.gates)
    yield from (("said", words.said(said, now)) for said in each.said)
    yield from _notes(each)


def _would(each: Explanation) -> Iterator[tuple[str, str]]:
    """What would become of a pod that does not press, if it did."""
    if each.state not in UNPRESSED:
        return
    yield from (("would", f"not burst: {reason}") for reason in each.bars)
    if not each.bars:
        when = (
            "once it is opted in and made anew"
            if each.state == "not-opted-in"
            else "if no real node had room for it"
        )
        yield "would", f"burst {when}"


def _times(each: Explanation, now: datetime) -> Iterator[tuple[str, str]]:
    if each.since is not None:
        what = _SINCE.get(each.state, ", when the scheduler found no node for it")
        yield "since", f"{words.ago(each.since, now)}{what}"
    if each.until is not None:
        what = "the grant ends" if each.state == "granted" else "decided anew"
        yield "until", f"{what} {words.ahead(each.until, now)}"
    if each.state == "waiting" and each.max_wait:
        yield "max-wait", f"{each.max_wait:g} s"


def _money(each: Explanation) -> Iterator[tuple[str, str]]:
    price = each.price
    if price is None:
        if each.state != "daemon-set":
            yield "price", "none: Fargate has no such size, or what it asks for cannot be read"
        return
    yield "price", f"{words.sold(price)}{_spent(each)}"


def _spent(each: Explanation) -> str:
    if each.spent is not None:
        how = "about" if each.life.attempts <= 1 else "at most"
        return f"; {how} {words.dollars(each.spent)} so far"
    return "; nothing so far, it has no task" if each.state in {"on-fargate", "failing", "rejected"} else ""


def _task(each: Explanation) -> Iterator[tuple[str, str]]:
    if each.state not in {"on-fargate", "failing"}:
        return
    if each.task is None:
        yield "task", "none yet: the bridge has not begun to launch one"
        return
    arn = each.task.arn or "no answer of ECS noted yet"
    yield "task", f"{arn} (attempt {each.task.attempt}{_on(each.task.capacity)})"


def _on(capacity: str) -> str:
    return f", {capacity}" if capacity else ""


def _notes(each: Explanation) -> Iterator[tuple[str, str]]:
    if not each.led:
        yield "note", "no extender leads now; `spillway status` says what is wrong"
    if each.assumed:
        yield "note", "no extender has published its settings: judged by the defaults"
    yield from (("note", f"not read: {text}") for text in each.unread)
