"""All checks, in the order in which people read them: what everything else rests on comes first."""

from collections import Counter
from typing import Final

import msgspec

from app.doctor import (
    autoscalers,
    certificates,
    gate,
    marker,
    namespaces,
    network,
    node_api,
    quotas,
    rbac,
    reach,
    scheduler,
    versions,
    webhook,
)
from app.doctor.finding import Finding, Level
from app.doctor.seen import Seen

CHECKS: Final = (
    versions.check,
    rbac.check,
    webhook.check,
    reach.check,
    certificates.check,
    scheduler.check,
    marker.check,
    gate.check,
    node_api.check,
    namespaces.check,
    network.check,
    quotas.check,
    autoscalers.check,
)


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """Every finding, and how many there are of each level."""

    findings: tuple[Finding, ...]
    levels: dict[Level, int]

    @property
    def is_well(self) -> bool:
        """Whether nothing fails."""
        return not self.levels[Level.FAIL]


def diagnose(seen: Seen) -> Diagnosis:
    """What all checks find."""
    findings = tuple(finding for check in CHECKS for finding in check(seen))
    counted = Counter(each.level for each in findings)
    return Diagnosis(findings=findings, levels={level: counted[level] for level in Level})
