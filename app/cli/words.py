"""How the commands for people write amounts, times and durations."""

from datetime import datetime, timedelta
from typing import Final

from app.extender.insight.views import Budget, Gate, Level, Price, Said
from app.model.offer import TABLE
from app.model.times import rfc3339
from app.ports.failures import NotFound, PortFailure, Refused
from app.wiring.stopping import StartError

_UNITS: Final = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))
_GIB: Final = 1024


def length(span: timedelta) -> str:
    """A duration in its two largest units, as `1h30m`; never less than nothing."""
    left = max(0, round(span.total_seconds()))
    parts = []
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2]) or "0s"


def ago(moment: datetime, now: datetime) -> str:
    """A moment that is past, and how long."""
    return f"{rfc3339(moment)} ({length(now - moment)} ago)"


def ahead(moment: datetime, now: datetime) -> str:
    """A moment to come, and how long until then."""
    return f"{rfc3339(moment)} (in {length(moment - now)})"


def dollars(amount: float) -> str:
    """US dollars; small amounts with four places."""
    return f"${amount:.2f}" if amount >= 1 else f"${amount:.4f}"


def count(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def size(vcpu: float, memory_mib: int, storage_gib: int) -> str:
    """What Fargate sells."""
    return f"{vcpu:g} vCPU, {memory_mib / _GIB:g} GiB, {storage_gib} GiB of storage"


def price(each: Price) -> str:
    """The price, what for, and whose prices they are."""
    return f"{dollars(each.hourly)} an hour {each.purchase}, {prices(each.source, each.region, each.at)}"


def sold(each: Price) -> str:
    """What Fargate sells the pod, at which price."""
    bought = size(each.vcpu, each.memory_mib, each.storage_gib)
    where = prices(each.source, each.region, each.at)
    return f"{dollars(each.hourly)} an hour {each.purchase} for {bought}, {where}"


def prices(source: str, region: str, at: datetime | None) -> str:
    """Where prices come from."""
    if source == "table":
        return f"by the table that Spillway ships ({TABLE.region})"
    read = f", read {rfc3339(at)}" if at is not None else ""
    return f"live prices of {region}{read}"


ALONE: Final = "it asks for Fargate alone, whatever room real nodes have"


def level(each: Level) -> str:
    """How full some nodes are."""
    if not each.nodes:
        full = "no real node takes pods there"
    else:
        shares = f"cpu {each.cpu:.0%}, memory {each.memory:.0%}, pods {each.pods:.0%}"
        mark = ", above the high watermark" if each.high else ""
        full = f"{count(each.nodes, 'real node')}, {each.level:.0%} full ({shares}){mark}"
    coming = f"; {count(each.coming, 'node')} on the way" if each.coming else ""
    wants = f" asking for {each.wanted_cpu:g} cpu, {each.wanted_gib:.3g} GiB" if each.pending else ""
    return f"{full}; {count(each.pending, 'pod')} without a node{wants}{coming}"


def budget(each: Budget) -> str:
    """What is spent of a budget, where it has limits."""
    parts = []
    if each.most_pods is not None:
        spent = _both(f"{each.pods}", f"{each.observed_pods}", observed=each.observed_pods)
        parts.append(f"{spent} of {each.most_pods} pods")
    if each.most_vcpu is not None:
        spent = _both(f"{each.vcpu:g}", f"{each.observed_vcpu:g}", observed=each.observed_vcpu)
        parts.append(f"{spent} of {each.most_vcpu:g} vCPU")
    if each.most_hourly is not None:
        spent = _both(dollars(each.hourly), dollars(each.observed_hourly), observed=each.observed_hourly)
        parts.append(f"{spent} of {dollars(each.most_hourly)} an hour")
    return f"{each.whose}: {', '.join(parts)}"


def _both(running: str, text: str, *, observed: float) -> str:
    """What runs, and what would where the gate only observes."""
    return f"{running} running + {text} observed" if observed else running


def gate(each: Gate) -> str:
    """A virtual node and its gate."""
    state = "Ready" if each.ready else "not Ready"
    grants = "grants unreadable" if each.grants is None else f"{count(each.grants, 'grant')} open"
    kept = f", kept by {each.bridge}" if each.bridge else ", kept by nobody"
    cordoned = ", cordoned" if each.cordoned else ""
    pods = count(each.pods, "pod")
    return f"{each.node}: {each.mode}, {state}{cordoned}, {pods}, {grants}{_early(each)}{kept}"


def _early(each: Gate) -> str:
    early = each.early
    if early is None:
        return ""
    seats, of = count(early.seats, "pod"), count(early.controllers, "controller")
    return f", early room for {seats} of {of} until {rfc3339(early.until)}"


def said(each: Said, now: datetime) -> str:
    """An Event of one of our programs."""
    past = "no longer so" if each.past else ""
    when = ", ".join(part for part in (ago(each.at, now) if each.at is not None else "", past) if part)
    when = f"{when}: " if when else ""
    times = f" ({each.times} times)" if each.times > 1 else ""
    return f"{when}{each.reason}: {each.message}{times} [{each.by}]"


_TO_LOOK: Final = "get and list on pods, nodes and namespaces, and get on leases"


def mended(error: StartError | PortFailure, *, needs: str = _TO_LOOK) -> str:
    """Why the cluster could not be read, and what to do about it; `needs` is what an account must have."""
    match error:
        case StartError():
            return str(error)
        case NotFound():
            return f"{error}; `kubectl get pods` shows the names, and -n NAMESPACE says where"
        case Refused():
            return f"{error}; your account needs {needs}"
        case _:
            return f"{error}; the cluster is the kubeconfig's: --kubeconfig or KUBECONFIG names another"
