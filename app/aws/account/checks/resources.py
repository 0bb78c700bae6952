"""Whether everything is there and as it should be. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, assert_never

from app.aws.account.checks.finding import Finding, Level, fail, fine, warn
from app.aws.account.plan import Change, Create, Found, Keep, Refuse, Step
from app.aws.account.wanted import (
    BOUNDARY,
    EGRESS,
    INGRESS,
    INSIGHTS,
    PATTERN,
    POLICY,
    PROVIDERS,
    RETENTION,
    SESSION_KEY,
    SETTINGS,
    STATE,
    TARGETS,
    TRUST,
    Key,
    Kind,
    Resource,
)

_INIT: Final = "run spillway aws init with the same flags"

_MEANS: Final[Mapping[str, tuple[Level, str]]] = {
    PROVIDERS: (Level.FAIL, "the cluster cannot run tasks on FARGATE and FARGATE_SPOT"),
    INSIGHTS: (Level.WARN, "Container Insights is otherwise: without it kubectl top and HPA know nothing"),
    SESSION_KEY: (Level.WARN, "sessions are encrypted with another key than the flags say"),
    RETENTION: (Level.WARN, "logs are kept for another time than the flags say"),
    BOUNDARY: (Level.WARN, "the permissions boundary is another than the flags say"),
    EGRESS: (Level.FAIL, "tasks cannot reach everything: images, logs and AWS may be out of reach"),
    SETTINGS: (Level.WARN, "settings are otherwise"),
    POLICY: (Level.WARN, "EventBridge may not send, so that the bridge learns of tasks by asking alone"),
    PATTERN: (Level.WARN, "it chooses other events, so that the bridge learns of tasks by asking alone"),
    STATE: (Level.WARN, "it is switched off, so that the bridge learns of tasks by asking alone"),
    TARGETS: (Level.WARN, "it sends elsewhere, so that the bridge learns of tasks by asking alone"),
}
_ELSEWHERE: Final = frozenset({(Kind.ROLE, TRUST), (Kind.ROLE, POLICY), (Kind.SECURITY_GROUP, INGRESS)})
"""Judged by what they do, not by how they are written."""

_MILD: Final = frozenset({Kind.QUEUE, Kind.RULE})
"""Pods overflow without them."""


def resource_findings(step: Step) -> Iterator[Finding]:
    """What is to be said of one resource; of ECS's own role, `access` says it."""
    match step:
        case Create(Resource(key=Key(kind=Kind.SERVICE_ROLE))) | Keep(Found(key=Key(kind=Kind.SERVICE_ROLE))):
            return
        case Create(resource):
            say = warn if resource.key.kind in _MILD else fail
            yield say(str(resource.key), "is not there", _INIT)
        case Refuse(found, reason):
            yield fail(str(found.key), "is not ours", reason)
        case Keep(found):
            yield fine(str(found.key), "as it should be")
            yield from _more(found)
        case Change(resource, found, aspects):
            yield from _different(resource.key, aspects)
            yield from _more(found)
        case _:
            assert_never(step)


def _different(key: Key, aspects: tuple[str, ...]) -> Iterator[Finding]:
    told = [each for each in aspects if (key.kind, each) not in _ELSEWHERE]
    for each in told:
        level, said = _MEANS[each]
        yield Finding(level=level, subject=str(key), said=said, mend=_INIT)
    if not told:
        yield fine(str(key), "there")


def _more(found: Found) -> Iterator[Finding]:
    if found.notes:
        more = f"has more than Spillway gave it: {', '.join(found.notes)}"
        yield warn(str(found.key), more, "take away what nobody needs")
