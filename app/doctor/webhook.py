"""Whether the API server is told to call our webhook, and whether that changes pods as it should.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, fail, ok, skip, unread, warn
from app.doctor.seen import ENTRY_SUFFIX, Seen, Trial, Unread, ours
from app.doctor.versions import minor
from app.model.actuator import SCHEDULER, tolerates_virtual_nodes
from app.model.names import ENABLED, MARKER, NODE_TYPE_LABEL, OVERFLOW, PERMITTED, TOLERANT
from app.model.pod import Pod
from app.model.setting import named
from app.model.webhook_configuration import MutatingWebhookConfiguration, WebhookEntry
from app.model.wire import Json

WEBHOOK: Final = "webhook"
TRIAL: Final = "trial"
_UPGRADE: Final = "helm upgrade, which writes the MutatingWebhookConfiguration anew"
_CONDITIONS_SINCE: Final = (1, 28)


def check(seen: Seen) -> Iterator[Finding]:
    """The configuration, then what it does."""
    yield from _configuration(seen)
    yield from _trials(seen)


def _configuration(seen: Seen) -> Iterator[Finding]:
    if isinstance(seen.webhooks, Unread):
        yield unread(WEBHOOK, "which MutatingWebhookConfigurations there are", seen.webhooks)
        return
    found = ours(seen.webhooks)
    if not found:
        yield fail(
            WEBHOOK,
            "no MutatingWebhookConfiguration calls Spillway: no pod opts in",
            "helm upgrade with webhook.enabled=true",
        )
        return
    if len(found) > 1:
        several = ", ".join(each.metadata.name for each in found)
        yield warn(
            WEBHOOK,
            f"several configurations call Spillway ({several}), and each pod is sent to all of them",
            "kubectl delete mutatingwebhookconfiguration NAME, of those that no installation owns",
        )
    for each in found:
        faults = tuple(_faults(each, seen))
        yield from faults
        if not faults:
            told = ", ".join(entry.name.removesuffix(ENTRY_SUFFIX) for entry in each.webhooks)
            yield ok(WEBHOOK, f"MutatingWebhookConfiguration {each.metadata.name} has the entries {told}")


def _faults(found: MutatingWebhookConfiguration, seen: Seen) -> Iterator[Finding]:
    entries = {each.name.removesuffix(ENTRY_SUFFIX): each for each in found.webhooks}
    wanted = (ENABLED, PERMITTED, TOLERANT) if seen.actuator == SCHEDULER else (ENABLED, PERMITTED)
    lacking = [each for each in wanted if each not in entries]
    if lacking:
        yield fail(WEBHOOK, f"{found.metadata.name} lacks the entries {', '.join(lacking)}", _UPGRADE)
    for path, entry in entries.items():
        yield from _entry(path, entry, found.metadata.name, seen)


def _entry(path: str, entry: WebhookEntry, name: str, seen: Seen) -> Iterator[Finding]:
    where = f"entry {path} of {name}"
    if entry.failure_policy != "Ignore":
        yield warn(
            WEBHOOK,
            f"{where} has failurePolicy {entry.failure_policy}: without our webhook no such pod is created",
            _UPGRADE,
        )
    if not entry.client_config.ca_bundle:
        yield fail(
            WEBHOOK,
            f"{where} has no caBundle: the API server trusts our certificate only where its own roots do",
            f"kubectl -n {seen.namespace} logs -l app.kubernetes.io/component=issuer, which injects it (or "
            "cert-manager's cainjector)",
        )
    if path in {ENABLED, PERMITTED} and not _selects(entry.namespace_selector, path):
        yield fail(
            WEBHOOK, f"{where} does not select the namespaces with the label {OVERFLOW}={path}", _UPGRADE
        )
    if path == TOLERANT and not entry.match_conditions and _has_conditions(seen.server):
        yield warn(
            WEBHOOK, f"{where} has no matchConditions: every pod of the cluster is sent to us", _UPGRADE
        )


def _has_conditions(server: str) -> bool:
    """Whether it is Kubernetes' own API server, of a version that knows CEL here."""
    version = minor(server)
    return version is not None and version >= _CONDITIONS_SINCE and "embedded" not in server


def _selects(selector: Json, word: str) -> bool:
    labels = (selector or {}).get("matchLabels") or {}
    return bool(labels.get(OVERFLOW) == word)


def _trials(seen: Seen) -> Iterator[Finding]:
    if not isinstance(seen.webhooks, Unread) and not ours(seen.webhooks):
        yield skip(
            TRIAL,
            "no pod was tried, for the API server is told of no webhook of ours",
            "what the line on webhook says, then spillway doctor",
        )
        return
    if isinstance(seen.namespaces, Unread):
        yield unread(TRIAL, "in which namespaces a pod could be tried", seen.namespaces)
    elif not seen.trials:
        yield skip(
            TRIAL,
            "no pod was tried, for there is no namespace whose pods may overflow",
            "what the line on namespaces says, then spillway doctor",
        )
    for trial in seen.trials:
        yield _trial(trial, seen)


def _trial(trial: Trial, seen: Seen) -> Finding:
    pod = trial.pod
    if isinstance(pod, Unread):
        return skip(
            TRIAL,
            f"a pod for trial in {trial.namespace} was not created, so the webhook was not tried: {pod.why}",
            f"kubectl auth can-i create pods -n {trial.namespace}, and what the answer names",
        )
    lacking = tuple(_lacking(pod, trial, seen))
    if not lacking:
        return ok(TRIAL, f"a pod that is created in {trial.namespace} goes through the entry {trial.word}")
    if len(lacking) == len(tuple(_wanted(trial, seen))):
        return fail(
            TRIAL,
            f"a pod that is created in {trial.namespace} comes back as it was sent: the API server does not "
            f"reach our webhook, or does not trust its certificate (entry {trial.word})",
            f"the lines on webhook, service and certificate, then kubectl -n {seen.namespace} logs -l "
            "app.kubernetes.io/component=webhook, and whether the control plane may reach its pods on "
            "port 8443 (security groups, NetworkPolicies)",
        )
    return fail(
        TRIAL,
        f"a pod that is created in {trial.namespace} lacks {' and '.join(lacking)}: another webhook takes "
        f"it away, or ours is set up for another actuator than {seen.actuator}",
        f"look at {_others(seen)}",
    )


def _wanted(trial: Trial, seen: Seen) -> Iterator[str]:
    if seen.actuator == SCHEDULER:
        yield "the marker"
        if trial.word != TOLERANT:
            yield "the toleration"
    if trial.word != TOLERANT:
        yield "the affinity"


def _lacking(pod: Pod, trial: Trial, seen: Seen) -> Iterator[str]:
    has = {
        "the marker": any(
            MARKER in each.resources.limits for each in (*pod.spec.containers, *pod.spec.init_containers)
        ),
        "the toleration": tolerates_virtual_nodes(pod),
        "the affinity": NODE_TYPE_LABEL in str(pod.spec.affinity),
    }
    return (each for each in _wanted(trial, seen) if not has[each])


def _others(seen: Seen) -> str:
    """Other webhooks that pods are sent to."""
    if isinstance(seen.webhooks, Unread):
        return "kubectl get mutatingwebhookconfigurations"
    own = {each.metadata.name for each in ours(seen.webhooks)}
    found = [each.metadata.name for each in seen.webhooks if each.metadata.name not in own]
    policies = f"kubectl get mutatingadmissionpolicies, and the webhook's {named('webhook', 'actuator')}"
    return ", ".join(found) if found else policies
