"""Whether VPC endpoints that take a service's name over let tasks in, and do what tasks ask. Pure.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from app.aws.account.checks.admission import HTTPS, admits, may_admit
from app.aws.account.checks.facts import Endpoint, Network, Subnet, Vpc
from app.aws.account.checks.finding import Finding, fail, warn
from app.aws.account.checks.permissions import execution_permissions, task_permissions
from app.aws.account.documents import canonical
from app.aws.account.options import Options
from app.aws.account.plan import Found
from app.model.wire import Json

NEEDED: Final = ("ecr.api", "ecr.dkr", "s3", "logs")
"""Without these no task starts."""

USEFUL: Final = (("secretsmanager", "Secrets in pods"), ("ssmmessages", "kubectl exec and cp"))
SEALED: Final = (("kms", "encrypted sessions"),)
"""What tasks need besides where sessions have a key."""

ASKED: Final = frozenset({*NEEDED, *(name for name, _ in (*USEFUL, *SEALED))})
"""All services that tasks ask."""


def is_by_gateway(endpoint: Endpoint, subnet: Subnet) -> bool:
    """Whether the subnet's routes lead to it."""
    return subnet.table in endpoint.tables


def reaches(service: str, endpoints: Sequence[Endpoint], subnet: Subnet) -> bool:
    """Whether an endpoint of the service answers to the subnet."""
    return any(
        each.service == service and (each.private_dns or is_by_gateway(each, subnet)) for each in endpoints
    )


def endpoint_findings(network: Network, options: Options) -> Iterator[Finding]:
    """What is to be said of the endpoints that tasks of these subnets meet, there being NAT or not."""
    for vpc in network.vpcs:
        subnets = [each for each in network.subnets if each.vpc == vpc.identifier and each.networks]
        for endpoint in _met(vpc, subnets):
            if endpoint.private_dns:
                yield from _closed(endpoint, subnets, network.group)
            if not endpoint.is_open:
                yield _narrowed(endpoint, options)


def _met(vpc: Vpc, subnets: Sequence[Subnet]) -> Iterator[Endpoint]:
    for each in vpc.endpoints:
        if each.private_dns or any(is_by_gateway(each, subnet) for subnet in subnets):
            yield each


def _closed(endpoint: Endpoint, subnets: Sequence[Subnet], group: Found | None) -> Iterator[Finding]:
    """An endpoint that has the service's name, and lets no task in: the service is lost."""
    if endpoint.admitted is None:
        return
    tasks = {group.identifier} if group is not None else set()
    for subnet in subnets:
        if admits(endpoint.admitted, groups=tasks, networks=subnet.networks, port=HTTPS):
            continue
        subject, mend = _subject(endpoint), "let tcp 443 in from the tasks' security group"
        said = f"has the service's name, and its security groups let no task of {subnet.identifier} in"
        if may_admit(endpoint.admitted, groups_known=group is not None, port=HTTPS):
            yield warn(subject, f"{said} that can be seen from here", mend)
        else:
            yield fail(subject, said, mend)


def _subject(endpoint: Endpoint) -> str:
    return f"VPC endpoint {endpoint.identifier} of {endpoint.service}"


def _narrowed(endpoint: Endpoint, options: Options) -> Finding:
    said = "has a policy of its own, which is not worked out here"
    return warn(_subject(endpoint), said, f"see that it allows {_asked_of(endpoint.service, options)}")


def _asked_of(service: str, options: Options) -> str:
    """What tasks ask of a service, in words."""
    names = options.names
    if service == "s3":
        layers = f"arn:{names.partition}:s3:::prod-{names.region}-starport-layer-bucket/*"
        return f"everybody s3:GetObject on {layers}, where ECR has the images' layers"
    prefix = f"{service.partition('.')[0]}:"
    needed = (*execution_permissions(options), *task_permissions(options))
    actions = dict.fromkeys(each.action for each in needed if each.action.startswith(prefix))
    return f"the tasks' roles {', '.join(actions)}"


def allows_all(policy: str) -> bool:
    """Whether an endpoint's policy allows everybody everything, as the one does that AWS gives it.

    Args:
        policy: JSON; empty where the service knows no policies of endpoints.
    """
    if not policy:
        return True
    try:
        statements = canonical(json.loads(policy))
    except ValueError:  # what nobody can read is not known to be open
        return False
    return all(each.get("Effect") == "Allow" for each in statements) and any(map(_is_all, statements))


def _is_all(statement: Mapping[str, Json]) -> bool:
    whom = statement.get("Principal") in (["*"], {"AWS": ["*"]})
    what = statement.get("Action") == ["*"] and statement.get("Resource") == ["*"]
    return whom and what and "Condition" not in statement
