"""Whether a scheduler asks our extender, about the right pods and in the right way."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from app.doctor.configurations import Configuration, Extender, held, is_ours
from app.doctor.finding import Finding, fail, ok, skip, unread, warn
from app.doctor.seen import ENTRY_SUFFIX, Seen, Unread, ours
from app.model.actuator import SCHEDULER
from app.model.lease import LeaseObject
from app.model.names import MARKER, TOLERANT
from app.model.setting import named

SUBJECT: Final = "scheduler"
DOMINANT: Final = 16
"""The weight from which on our score outweighs all default plugins together."""
LONGEST: Final = 5.0
"""Seconds: so long one pod may hold up the scheduler's one loop."""
LATE: Final = timedelta(seconds=60)
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_MEND: Final = "mend it in the scheduler's configuration, and restart the scheduler"


def check(seen: Seen) -> Iterator[Finding]:
    """The configuration, then whether somebody runs by it."""
    if seen.actuator != SCHEDULER:
        yield ok(SUBJECT, f"no scheduler is asked (actuator {seen.actuator}): the leader adds the toleration")
        return
    hidden = {name: found for name, found in seen.config_maps.items() if isinstance(found, Unread)}
    yield from (unread(SUBJECT, f"which ConfigMaps are in {name}", why) for name, why in hidden.items())
    asking: list[Configuration] = []
    for each in held(seen.config_maps):
        if isinstance(each.configuration, str):
            yield fail(SUBJECT, f"{each.where} cannot be read: {each.configuration}", _MEND)
            continue
        for extender in each.configuration.extenders:
            if is_ours(extender, namespace=seen.namespace):
                asking.append(each.configuration)
                yield from _judged(each.where, extender, seen)
    if asking:
        yield from _names(asking, seen)
        yield from _alive(asking, seen)
    elif read := [name for name in seen.config_maps if name not in hidden]:
        yield skip(
            SUBJECT,
            f"no ConfigMap of {' or '.join(read)} holds a scheduler's configuration with our extender; one "
            "that lies in a file of the control plane cannot be seen from here",
            "compare it with the output of helm get notes, or use the actuator toleration where the "
            "scheduler cannot be configured",
        )


def _judged(where: str, extender: Extender, seen: Seen) -> Iterator[Finding]:
    faults = (*_verbs(where, extender, seen), *_ways(where, extender), *_reach(where, extender, seen))
    yield from faults
    if not faults:
        yield ok(SUBJECT, f"{where} asks {extender.url_prefix} about marked pods")


def _verbs(where: str, extender: Extender, seen: Seen) -> Iterator[Finding]:
    for name, verb in (("filterVerb", extender.filter_verb), ("preemptVerb", extender.preempt_verb)):
        if not verb:
            expected = name.removesuffix("Verb")
            yield fail(
                SUBJECT, f"{where} lacks {name}, so nobody minds the virtual nodes", f"{name}: {expected}"
            )
    early = seen.policy is not None and seen.policy.early_burst
    if extender.prioritize_verb and seen.policy is not None and not early:
        yield warn(
            SUBJECT,
            f"{where} has prioritizeVerb: a round trip for each pod that serves early bursts alone, and "
            "those are off",
            f"take prioritizeVerb out, or turn on {named('extender', 'early_burst')}",
        )
    if early and not extender.prioritize_verb:
        yield warn(
            SUBJECT,
            f"{where} lacks prioritizeVerb, so early bursts, which are on, never happen",
            "prioritizeVerb: prioritize",
        )
    if extender.prioritize_verb and extender.weight < DOMINANT:
        yield warn(
            SUBJECT,
            f"{where} has weight {extender.weight}: other plugins outvote our preference",
            f"weight: {DOMINANT}",
        )


def _ways(where: str, extender: Extender) -> Iterator[Finding]:
    if not extender.node_cache_capable:
        yield warn(
            SUBJECT,
            f"{where} lacks nodeCacheCapable: whole nodes are sent with each pod, not their names",
            "nodeCacheCapable: true",
        )
    if not extender.ignorable:
        yield warn(
            SUBJECT,
            f"{where} lacks ignorable: while the extender is away, pods it is asked about are not scheduled",
            "ignorable: true",
        )
    seconds = _seconds(extender.http_timeout)
    if seconds is None or seconds > LONGEST:
        told = extender.http_timeout or "not set"
        yield warn(
            SUBJECT,
            f"{where}: httpTimeout is {told}; a pod may hold up all others so long",
            "httpTimeout: 2s",
        )
    tls = extender.tls_config
    if extender.url_prefix.startswith("http://"):
        yield warn(SUBJECT, f"{where} asks without TLS", "urlPrefix: https://…, with tlsConfig")
    elif tls is None or tls.insecure or not (tls.ca_data or tls.ca_file):
        yield warn(
            SUBJECT,
            f"{where} names no authority: the scheduler does not verify whom it asks",
            "enableHTTPS: true, and tlsConfig with caFile or caData",
        )


def _reach(where: str, extender: Extender, seen: Seen) -> Iterator[Finding]:
    if not extender.is_marked_only:
        yield warn(
            SUBJECT,
            f"{where} lacks managedResources: it asks about every pod of the cluster",
            f"managedResources: [{{name: {MARKER}, ignoredByScheduler: false}}]",
        )
        return
    if isinstance(seen.webhooks, Unread):
        return
    paths = {entry.name.removesuffix(ENTRY_SUFFIX) for each in ours(seen.webhooks) for entry in each.webhooks}
    if TOLERANT not in paths:
        yield fail(
            SUBJECT,
            f"{where} asks about marked pods alone, and the webhook has no entry that marks tolerant ones: "
            "those land on virtual nodes unasked",
            "helm upgrade, which writes the MutatingWebhookConfiguration anew",
        )


def _names(asking: list[Configuration], seen: Seen) -> Iterator[Finding]:
    """The schedulers that opted-in pods are told to wait for."""
    known = frozenset[str]().union(*(each.names for each in asking))
    chosen = {
        each.pod.spec.scheduler_name
        for each in seen.trials
        if not isinstance(each.pod, Unread) and each.word != TOLERANT
    }
    for name in sorted(chosen - known):
        yield fail(
            SUBJECT,
            f"opted-in pods are given the schedulerName {name}, which asks nobody; those that ask are "
            f"{', '.join(sorted(known))}",
            f"set {named('webhook', 'scheduler_name')} to one of those, or empty for pods' own",
        )


def _alive(asking: list[Configuration], seen: Seen) -> Iterator[Finding]:
    for key in dict.fromkeys(each.lease for each in asking):
        lease = seen.scheduler_leases.get(key)
        if not key:
            continue
        if isinstance(lease, Unread):
            yield unread(SUBJECT, f"who holds the Lease {key} of the scheduler that asks us", lease)
            continue
        late = _late(lease, seen)
        if late:
            yield fail(
                SUBJECT,
                f"no scheduler runs by the configuration that asks us: {late} (Lease {key})",
                f"kubectl -n {key.partition('/')[0]} get pods, and the scheduler's logs",
            )
        else:
            holder = lease.holder if lease is not None else ""
            yield ok(SUBJECT, f"{holder} holds the Lease {key}")


def _late(lease: LeaseObject | None, seen: Seen) -> str:
    if lease is None:
        return "there is no Lease"
    renewed = lease.spec.renew_time
    if not lease.holder or renewed is None:
        return "nobody holds its Lease"
    ago = seen.now - renewed
    return f"its Lease was renewed last {ago.total_seconds():.0f} s ago" if ago > LATE else ""


def _seconds(duration: object) -> float | None:
    """A duration as Go writes it; None where it is none."""
    parts = _DURATION.findall(str(duration or ""))
    return sum(float(number) * _SECONDS[unit] for number, unit in parts) if parts else None
