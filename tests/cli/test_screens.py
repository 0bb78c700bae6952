"""What is printed of an explanation and of a status, line by line."""

import io
from typing import Any, get_args

import pytest
from rich.console import Console
from rich.text import Text

from app.cli import explain_pod, status
from app.extender.decision.budget import Limits
from app.extender.decision.hindrance import GateConfig
from app.extender.insight.explanation import explain_pod as explained
from app.extender.insight.policy import Policy
from app.extender.insight.seen import Seen
from app.extender.insight.situation import State
from app.extender.insight.status import summary
from app.model import names
from app.model.early import EarlyRoom, written_early
from app.model.event import Event
from app.model.pod import Pod
from app.model.resources import Resources
from tests.builders import NOON, VIRTUAL, a_node, a_pod, a_virtual_node
from tests.extender.fakes import a_grant, a_pressing_pod, granting
from tests.extender.homing.returns import an_overflow_pod
from tests.extender.insight.fates import CRASHED, NOTED, ended, held_up, status_of, waiting
from tests.extender.insight.look import a_look, later, not_runnable

TASK = {names.TASK_ARN: "arn:1", names.ATTEMPT: "1"}
BOUND = {"type": "PodScheduled", "status": "True", "lastTransitionTime": NOON.isoformat()}
SMALL = "0.5 vCPU, 1 GiB, 20 GiB of storage, by the table that Spillway ships (us-east-1)"
PRICE = f"  price    $0.0247 an hour on-demand for {SMALL}"
CLOSED = "  gate     fargate-1a: auto, Ready, 0 pods, 0 grants open, kept by bridge-0"
BY_TABLE = "on-demand, by the table that Spillway ships (us-east-1)"
EMPTY = "1 real node, 0% full (cpu 0%, memory 0%, pods 0%)"
WAITING = f"  nodes    {EMPTY}; 1 pod without a node asking for 0.5 cpu, 0.5 GiB"


def printed(pod: Pod, seen: Seen) -> list[str]:
    console = Console(file=io.StringIO(), soft_wrap=True, highlight=False)
    explain_pod.show(explained(pod, seen), console)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def test_a_pod_that_waits_says_for_what_since_when_and_until_when() -> None:
    pod = a_pressing_pod(annotations={names.MAX_WAIT: "90s"})
    assert printed(pod, a_look(pod, now=later(30))) == [
        "Pod shop/web-1: waits",
        "  why      waits for a real node first, as its max-wait says",
        "  since    2026-01-01T12:00:00Z (30s ago), when the scheduler found no node for it",
        "  until    decided anew 2026-01-01T12:01:30Z (in 1m)",
        "  max-wait 90 s",
        PRICE,
        WAITING,
        CLOSED,
    ]


def test_early_room_that_stands_open_is_told() -> None:
    room = Resources(cpu_milli=500, pods=1)
    early = EarlyRoom(seats=2, owners={"shop/a": room}, expires=later(60))
    node = a_virtual_node(annotations={names.EARLY_ROOM: written_early(early)})
    shown = (
        "0 grants open, early room for 2 pods of 1 controller until 2026-01-01T12:01:00Z, kept by bridge-0"
    )
    look = a_look(nodes=(node, a_node()))
    assert any(shown in line.plain for line in status.rows(summary(look)))
    over = a_look(nodes=(node, a_node()), now=later(60))
    assert not any("early room" in line.plain for line in status.rows(summary(over)))


def test_a_pod_over_budget_says_the_numbers() -> None:
    pod = a_pressing_pod()
    policy = Policy(gate=GateConfig(budget=Limits(pods=1, hourly=0.01)))
    lines = printed(pod, a_look(pod, policy=policy))
    assert "  budget   cluster: 0 of 1 pods, $0.0000 of $0.0100 an hour" in lines
    assert lines[1].startswith("  why      the pod takes $0.024685 an hour, more than all of the cluster's")


def test_a_granted_pod_says_until_when() -> None:
    pod = a_pressing_pod()
    lines = printed(pod, a_look(pod, nodes=(a_virtual_node(annotations=granting(a_grant(pod))), a_node())))
    assert lines[0] == "Pod shop/web-1: is granted a place on Fargate (fargate-1a)"
    assert "  until    the grant ends 2026-01-01T12:01:00Z (in 1m)" in lines


def test_an_overflow_pod_says_its_task_its_cost_and_why_it_stays() -> None:
    noted = {names.ATTEMPT_OF: "u1", names.TASK_ARN: "arn:1", names.ATTEMPT: "1"}
    pod = an_overflow_pod(uid="u1", annotations=noted, status={"conditions": [BOUND]})
    assert printed(pod, a_look(pod, now=later(3600)))[:5] == [
        "Pod shop/web-1: is on Fargate (fargate-1a)",
        "  since    2026-01-01T12:00:00Z (1h ago)",
        f"{PRICE}; about $0.0247 so far",
        "  task     arn:1 (attempt 1)",
        "  home     it is not Ready; moving it would help nobody",
    ]


def test_a_pod_without_a_task_yet_says_so() -> None:
    pod = a_pod(node=VIRTUAL)
    lines = printed(pod, a_look(pod))
    assert "  task     none yet: the bridge has not begun to launch one" in lines


@pytest.mark.parametrize(
    ("pod", "fields", "line"),
    [
        pytest.param(
            a_pressing_pod(namespace="other"),
            {},
            "  would    burst once it is opted in and made anew",
            id="not-opted-in",
        ),
        pytest.param(
            a_pod(node="ec2-0"),
            {"refusals": not_runnable},
            "  would    not burst: Fargate has no host",
            id="on-node",
        ),
        pytest.param(
            a_pressing_pod(cpu="99"),
            {},
            "  price    none: Fargate has no such size, or what it asks for cannot be read",
            id="no-size",
        ),
        pytest.param(
            a_pressing_pod(),
            {"is_published": False},
            "  note     no extender has published its settings: judged by the defaults",
            id="assumed",
        ),
        pytest.param(
            a_pressing_pod(),
            {"gate_lease": None},
            "  note     no extender leads now; `spillway status` says what is wrong",
            id="not-led",
        ),
        pytest.param(
            a_pressing_pod(), {"unread": ("[red]claims",)}, "  note     not read: [red]claims", id="unread"
        ),
    ],
)
def test_what_else_an_explanation_says(pod: Pod, fields: dict[str, Any], line: str) -> None:
    assert line in printed(pod, a_look(pod, **fields))


def screen(seen: Seen) -> list[str]:
    return [row.plain for row in status.rows(summary(seen))]


def test_the_screen_of_a_quiet_cluster() -> None:
    assert screen(a_look()) == [
        "Spillway at 2026-01-01T12:00:00Z",
        "well      a leader decides, and a virtual node takes pods",
        "gate      extender-0 leads",
        f"          fargate-1a: auto, Ready, 0 pods, 0 grants open, kept by bridge-0; {BY_TABLE}",
        f"pressure  whole cluster: {EMPTY}; 0 pods without a node",
        "overflow  no pod is on Fargate",
    ]


def test_what_is_wrong_stands_first() -> None:
    lines = screen(a_look(gate_lease=None, node_leases={}))
    assert [line.split()[0] for line in lines[:3]] == ["Spillway", "TROUBLE", "TROUBLE"]


def test_groups_say_how_many_the_oldest_and_when() -> None:
    pods = [a_pressing_pod(f"web-{n}", annotations={names.MAX_WAIT: "2m"}) for n in range(2)]
    assert (
        "waiting   2 pods, MaxWait: waits for a real node first, as its max-wait says [oldest: shop/web-0, "
        "since 2026-01-01T12:00:00Z (1m ago); the first is decided anew 2026-01-01T12:02:00Z (in 1m)]"
    ) in screen(a_look(*pods, now=later(60)))


def test_spend_and_the_way_home_are_shown() -> None:
    bare = a_pod("bare", node=VIRTUAL, uid="u2", annotations=TASK | {names.ATTEMPT_OF: "u2"})
    going = an_overflow_pod(uid="u1", annotations=TASK | {names.ATTEMPT_OF: "u1"})
    lines = screen(a_look(going, bare, now=later(3600)))
    assert "overflow  2 pods, 1 vCPU, $0.0494 an hour now" in lines
    assert "            shop: 2 pods, 1 vCPU, $0.0494 an hour" in lines
    assert "home      1 pod could go home as room is now, and will if it lasts" in lines
    assert any(line.startswith("          1 pod stays, BarePod: ") for line in lines)


def test_of_many_lines_the_first_are_shown() -> None:
    pods = [a_pod("web", namespace=f"n{n:02}", node=VIRTUAL) for n in range(20)]
    lines = screen(a_look(*pods))
    assert "          and 13 lines more; --json has all" in lines
    assert len(lines) < 24


def test_a_gate_that_observes_says_what_it_would_spend() -> None:
    node = a_virtual_node(annotations={names.GATE: "observe"})
    lines = screen(a_look(a_pressing_pod(), nodes=(node,)))
    assert "bursting  1 pod would burst for $0.0247 an hour; the gate only observes" in lines


def test_on_a_terminal_the_screen_is_drawn_in_place() -> None:
    options = status.Options(kubeconfig="", spillway_namespace="", as_json=False, watch=True, every=1)
    console = Console(file=io.StringIO(), force_terminal=True, width=200, height=50)
    with status.Screen(options, console) as shown:
        shown.show(summary(a_look()))
        shown.complain("no answer")
    file = console.file
    assert isinstance(file, io.StringIO)
    assert "a leader decides" in file.getvalue()
    assert "no answer; asked again" in file.getvalue()


def test_every_state_has_an_exit_code() -> None:
    assert set(explain_pod.CODES) == set(get_args(State))
    assert {
        explain_pod.CODES[each] for each in ("waiting", "observed", "refused", "failing", "rejected")
    } == {1}


@pytest.mark.parametrize(
    ("status", "head"),
    [
        pytest.param(
            status_of(waiting("CrashLoopBackOff", "back-off 10s"), last=CRASHED),
            "is on Fargate, CrashLoopBackOff (exit 1, 2 attempts) (fargate-1a)",
            id="crash-loop",
        ),
        pytest.param(
            status_of(waiting("FargateNoCapacity")),
            "is on Fargate, FargateNoCapacity (2 attempts) (fargate-1a)",
            id="no-capacity",
        ),
        pytest.param(
            {"phase": "Failed", "reason": "NotScheduled", "message": "Pod was rejected: nobody placed it"},
            "was rejected: nobody placed it (fargate-1a)",
            id="rejected",
        ),
        pytest.param(status_of(ended(4), phase="Failed"), "failed: exit 4 (fargate-1a)", id="exit"),
        pytest.param(
            status_of(ended(137, "OOMKilled"), phase="Failed"),
            "failed: OOMKilled, exit 137 (fargate-1a)",
            id="out-of-memory",
        ),
        pytest.param(
            {"phase": "Failed", "reason": "SpotInterruption"},
            "failed: SpotInterruption (fargate-1a)",
            id="spot",
        ),
        pytest.param({"phase": "Succeeded"}, "has ended (fargate-1a)", id="succeeded"),
    ],
)
def test_the_headline_says_how_a_pod_with_a_place_fares(status: dict[str, Any], head: str) -> None:
    noted = {names.ATTEMPT_OF: "u1", names.ATTEMPT: "2"}
    pod = a_pod(node=VIRTUAL, uid="u1", annotations=noted, status=status)
    assert printed(pod, a_look(pod))[0] == f"Pod shop/web-1: {head}"


def test_a_crash_loop_says_kubelets_words_and_that_nothing_is_spent_without_a_task() -> None:
    status = status_of(waiting("CrashLoopBackOff", "back-off 10s"), last=None)
    pod = a_pod(node=VIRTUAL, status=status)
    lines = printed(pod, a_look(pod))
    assert "  why      back-off 10s" in lines
    assert f"{PRICE}; nothing so far, it has no task" in lines


def test_a_pod_that_was_begun_more_than_once_has_cost_at_most_so_much() -> None:
    status = status_of(waiting("CrashLoopBackOff"), last=CRASHED) | {"conditions": [BOUND]}
    pod = a_pod(node=VIRTUAL, uid="u1", annotations=NOTED, status=status)
    assert f"{PRICE}; at most $0.0247 so far" in printed(pod, a_look(pod, now=later(3600)))


def test_a_pod_that_runs_badly_on_a_real_node_is_not_praised() -> None:
    pod = a_pod(node="ec2-0", status=status_of(waiting("ErrImagePull", "no such image")))
    assert "  why      it does not run well there: ErrImagePull" in printed(pod, a_look(pod))


def test_what_is_said_no_longer_stands_marked() -> None:
    pod = a_pod(node=VIRTUAL, status=status_of({"running": {}}))
    event = Event(reason="OverflowWaiting", message="long", reporting_component="spillway-extender")
    console = Console(file=io.StringIO(), soft_wrap=True, highlight=False)
    explain_pod.show(explained(pod, a_look(pod), events=[event]), console)
    assert isinstance(console.file, io.StringIO)
    assert "  said     no longer so: OverflowWaiting: long [spillway-extender]" in console.file.getvalue()


def test_who_asks_for_fargate_alone_is_not_told_that_no_real_node_takes_it() -> None:
    pod = a_pressing_pod(labels={names.OVERFLOW: "required"}, nodeSelector={"type": "virtual-kubelet"})
    seen = a_look(pod, nodes=(a_virtual_node(labels={"type": "virtual-kubelet"}), a_node()))
    alone = "it asks for Fargate alone, whatever room real nodes have"
    assert f"  nodes    {alone}" in printed(pod, seen)
    assert f"          for shop/web-1: {alone}" in screen(seen)


def test_a_budget_says_what_is_merely_observed() -> None:
    node = a_virtual_node(annotations={names.GATE: "observe"})
    policy = Policy(gate=GateConfig(budget=Limits(pods=2, vcpu=1, hourly=1)))
    lines = screen(a_look(a_pressing_pod(), a_pod("web-0", node=VIRTUAL), nodes=(node,), policy=policy))
    assert (
        "budgets   cluster: 1 running + 1 observed of 2 pods, 0.5 running + 0.5 observed of 1 vCPU, "
        "$0.0247 running + $0.0247 observed of $1.00 an hour"
    ) in lines


def test_pods_that_do_not_run_have_a_block_of_their_own_and_stand_beside_well() -> None:
    pods = [held_up(f"web-{n}", "CrashLoopBackOff", message="back-off 10s") for n in range(2)]
    lines = screen(a_look(*pods, now=later(60)))
    well = "well      a leader decides, and a virtual node takes pods"
    assert lines[1] == f"{well}; 2 overflow pods do not run, see failing"
    assert (
        "failing   2 pods, CrashLoopBackOff: back-off 10s [oldest: shop/web-0, since "
        "2026-01-01T12:00:00Z (1m ago)]"
    ) in lines


def test_what_has_no_task_is_reserved_and_costs_nothing_now() -> None:
    carried = a_pod("a", node=VIRTUAL, uid="u1", annotations=NOTED)
    lines = screen(a_look(carried, a_pod("b", node=VIRTUAL)))
    spent = "0.5 vCPU, $0.0247 an hour"
    assert f"overflow  2 pods, 1 with a task: {spent} now; 1 vCPU, $0.0494 an hour reserved" in lines
    assert f"            shop: 2 pods, 1 with a task: {spent}; 1 vCPU, $0.0494 an hour reserved" in lines


def test_a_gate_that_somebody_closed_stands_under_what_is_well() -> None:
    node = a_virtual_node(annotations={names.GATE: "closed"})
    closed = "fargate-1a is closed, as its annotation spillway.dev/gate=closed says"
    assert screen(a_look(nodes=(node,)))[1:3] == [
        "well      a leader decides, and no gate is open",
        f"note      no gate is open, so nothing new bursts: {closed}",
    ]


def test_on_a_narrow_terminal_lines_are_folded_and_the_last_look_stays_whole() -> None:
    options = status.Options(kubeconfig="", spillway_namespace="", as_json=False, watch=True, every=1)
    console = Console(file=io.StringIO(), force_terminal=True, width=40, height=5, soft_wrap=True)
    with status.Screen(options, console) as shown:
        shown.show(summary(a_look(a_pressing_pod())))
        drawn = console.file
        assert isinstance(drawn, io.StringIO)
        live = drawn.getvalue()
    assert Text.from_ansi(live).plain.splitlines()[1:3] == [
        "well      a leader decides, and a ",
        "virtual node takes pods",
    ]
    assert max(len(line) for line in Text.from_ansi(live).plain.splitlines()) <= 40
    whole = Text.from_ansi(drawn.getvalue().removeprefix(live)).plain
    assert "well      a leader decides, and a virtual node takes pods" in whole
    assert "bursting  1 pod with a grant, or about to get one" in whole
