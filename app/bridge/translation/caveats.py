"""What runs otherwise than asked, though it runs: each is worth an Event on the pod."""

import re
from collections.abc import Iterable, Sequence

from app.bridge.translation.containers import health
from app.bridge.translation.containers.parts import Part
from app.fargate import eligibility
from app.fargate.rights import ROOT
from app.model.pod import Pod
from app.model.reason import Reason


def caveats_of(pod: Pod, *, parts: Sequence[Part], brought: Sequence[Reason]) -> tuple[Reason, ...]:
    """Every caveat about the pod's task; the codes are reasons of Events.

    Args:
        pod: what can be said from it alone, `app.fargate.eligibility` says.
        parts: its containers.
        brought: what is to be said about its volumes; that knows more than the pod alone.
    """
    known = {each.code for each in brought}
    general = [each for each in eligibility.caveats(pod) if each.code not in known]
    special = [caveat for part in parts for caveat in _special(part)]
    return tuple(dict.fromkeys((*brought, *general, *special)))


def _special(part: Part) -> Iterable[Reason]:
    yield from _unseen_by_probes(part)
    yield from _asked_as_root(part)
    yield from _not_awaited(part)


def unfound_pulls(names: Sequence[str]) -> tuple[Reason, ...]:
    """That imagePullSecrets are not there, in kubelet's words."""
    if not names:
        return ()
    message = (
        f"Unable to retrieve some image pull secrets ({', '.join(names)}); "
        "attempting to pull the image may not succeed."
    )
    return (Reason("FailedToRetrieveImagePullSecret", message),)


def _unseen_by_probes(part: Part) -> Iterable[Reason]:
    """The health check sees the definition's variables, not those that the helper makes for the command."""
    command = health.health_check(part.container).get("command", ())
    made = {line.split(" ")[1] for line in part.words.run if line.startswith(("env ", "fact "))}
    used = sorted(name for name in made if any(_names(word, name) for word in command))
    if used:
        message = f"exec probes of container {part.name} do not see {', '.join(used)}"
        yield Reason("ProbeEnvironment", message)


def _asked_as_root(part: Part) -> Iterable[Reason]:
    """Where the helper changes the command's groups, ECS starts the container, and its probes, as root."""
    if health.health_check(part.container) and part.rights.user == str(ROOT) != str(part.rights.uid):
        message = f"exec probes of container {part.name} run as root, for fsGroup's sake; use httpGet"
        yield Reason("ProbeAsRoot", message)


def _names(word: str, variable: str) -> bool:
    return word == variable or re.search(rf"\$\{{?{re.escape(variable)}\b", word) is not None


def _not_awaited(part: Part) -> Iterable[Reason]:
    if part.role == "sidecar" and part.container.startup_probe and not health.is_awaited(part.container):
        message = f"what follows sidecar {part.name} starts with it, not after its startup probe"
        yield Reason("StartupNotAwaited", message)
