"""All findings of an examination, in the order of reading. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from app.aws.account.checks.access import access_findings
from app.aws.account.checks.facts import Facts
from app.aws.account.checks.finding import Finding, Level, Unknown, fine, unexamined, warn
from app.aws.account.checks.network import network_findings
from app.aws.account.checks.resources import resource_findings
from app.aws.account.options import Options
from app.aws.account.wish import Wish
from app.model.offer import VcpuQuota

_FEW: Final = 6.0
"""vCPUs: what AWS gives a new account."""


def judged(facts: Facts, *, options: Options, wish: Wish) -> tuple[Finding, ...]:
    """What is to be said of the account."""
    return (
        fine("identity", facts.identity),
        *(finding for step in facts.steps for finding in resource_findings(step)),
        *access_findings(facts, options),
        *network_findings(facts.network, wish, options=options),
        *_quotas(facts.quota),
    )


def worst(findings: Sequence[Finding]) -> Level:
    """The worst of them."""
    levels = {each.level for each in findings}
    return next((each for each in (Level.FAIL, Level.WARN) if each in levels), Level.OK)


def _quotas(quota: VcpuQuota | Unknown) -> Iterator[Finding]:
    if isinstance(quota, Unknown):
        yield unexamined("Fargate vCPU quota", quota)
        return
    for name, code, value in (
        ("on-demand", "L-3032A538", quota.on_demand),
        ("Spot", "L-36FBB829", quota.spot),
    ):
        subject = f"Fargate {name} vCPU quota"
        if value is None:
            yield fine(subject, "without a number")
        elif value <= _FEW:
            mend = "aws service-quotas request-service-quota-increase --service-code fargate "
            mend += f"--quota-code {code} --desired-value 256"
            yield warn(
                subject, f"{value:g} vCPU: at most {int(value * 4)} of the smallest pods at once", mend
            )
        else:
            yield fine(subject, f"{value:g} vCPU")
