"""Gathers what `judgement` judges: looks alone, and what it may not see it says so."""

from collections.abc import Awaitable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from app.aws.account.account import Account
from app.aws.account.calls import Calls
from app.aws.account.checks.facts import Decisions, Facts, Network, Provider
from app.aws.account.checks.finding import Unknown
from app.aws.account.checks.permissions import (
    Permission,
    bridge_permissions,
    execution_permissions,
    task_permissions,
)
from app.aws.account.checks.surroundings import Surroundings
from app.aws.account.makers.service_roles import has_service_role
from app.aws.account.options import Irsa, Options, PodIdentity, ServiceAccount
from app.aws.account.plan import Change, Found, Keep, Step
from app.aws.account.wanted import Kind
from app.aws.account.wish import Wish
from app.ports.failures import NotFound, PortFailure
from app.ports.offers import Offers

T = TypeVar("T")

_LONGEST: Final = 300
"""Characters of a reason: a finding is one line."""


class Examiner:
    """Looks at one account; whatever is refused becomes an `Unknown`."""

    def __init__(self, calls: Calls, account: Account, *, offers: Offers) -> None:
        """Nothing is asked yet."""
        self._calls = calls
        self._account = account
        self._offers = offers
        self._surroundings = Surroundings(calls)

    async def facts(self, options: Options, wish: Wish) -> Facts:
        """Everything there is to know. Raises PortFailure: not even the resources could be looked at."""
        group = await self._account.security_group()
        if group is not None and not options.vpc:
            options = msgspec.structs.replace(options, vpc=group.key.place)
        steps = await self._account.plan(options)
        return Facts(
            identity=await self._account.identity(),
            steps=steps,
            decisions=await self._decisions(options, steps),
            provider=await self._provider(options),
            association=await self._association(options),
            service_role=await _known(has_service_role(self._calls)),
            network=await _known(self._network(wish, group)),
            quota=await _known(self._offers.quota()),
        )

    async def _decisions(self, options: Options, steps: Sequence[Step]) -> dict[str, Decisions | Unknown]:
        names = options.names
        needed = {
            names.bridge_role: bridge_permissions(options),
            names.execution_role: execution_permissions(options),
            names.task_role: task_permissions(options),
        }
        return {
            role.key.name: await _known(self._simulated(role.identifier, needed[role.key.name]))
            for role in _roles(steps)
        }

    async def _simulated(self, role: str, permissions: Sequence[Permission]) -> Decisions:
        """One question for all actions that have resource and context in common."""
        together: dict[tuple[str, tuple[tuple[str, str], ...]], list[Permission]] = {}
        for each in permissions:
            together.setdefault((each.resource, each.context), []).append(each)
        decided: dict[Permission, str] = {}
        for (resource, context), group in together.items():
            decided |= await self._asked(role, resource, context, group)
        return decided

    async def _asked(
        self, role: str, resource: str, context: tuple[tuple[str, str], ...], group: Sequence[Permission]
    ) -> dict[Permission, str]:
        # Boundaries that keep a team in its regions ask for it, and an absent key is unlike every region.
        told = (*context, ("aws:RequestedRegion", self._calls.region))
        entries = [
            {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in told
        ]
        results = await self._calls.pages(
            "iam",
            "simulate_principal_policy",
            "EvaluationResults",
            tokens=("Marker", "Marker"),
            PolicySourceArn=role,
            ActionNames=[each.action for each in group],
            ResourceArns=[resource],
            ContextEntries=entries,
        )
        said = {str(each["EvalActionName"]).lower(): str(each["EvalDecision"]) for each in results}
        return {each: said.get(each.action.lower(), "unanswered") for each in group}

    async def _provider(self, options: Options) -> Provider | Unknown | None:
        match options.trust:
            case Irsa(provider=provider):
                return await _known(self._described(provider))
            case _:
                return None

    async def _described(self, provider: str) -> Provider:
        try:
            answer = await self._calls.ask(
                "iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=provider
            )
        except NotFound:
            return Provider(is_there=False)
        return Provider(is_there=True, audiences=tuple(map(str, answer.get("ClientIDList") or ())))

    async def _association(self, options: Options) -> str | Unknown | None:
        match options.trust:
            case PodIdentity(account=account) if options.eks_cluster:
                return await _known(self._associated(options.eks_cluster, account))
            case _:
                return None

    async def _associated(self, cluster: str, account: ServiceAccount) -> str:
        listed = await self._calls.pages(
            "eks",
            "list_pod_identity_associations",
            "associations",
            tokens=("nextToken", "nextToken"),
            clusterName=cluster,
            namespace=account.namespace,
            serviceAccount=account.name,
        )
        for each in listed:
            described = await self._calls.ask(
                "eks",
                "describe_pod_identity_association",
                clusterName=cluster,
                associationId=each["associationId"],
            )
            return str(described["association"].get("roleArn", ""))
        return ""

    async def _network(self, wish: Wish, group: Found | None) -> Network:
        subnets = await self._surroundings.subnets(wish.subnets)
        vpcs = {each.vpc for each in subnets}
        return Network(
            subnets=subnets,
            vpcs=await self._surroundings.vpcs(vpcs),
            group=group,
            nodes=await self._surroundings.admitted(wish.node_security_groups),
            nats=await self._surroundings.nats({each.route.target for each in subnets}),
            acls=await _known(self._surroundings.acls(vpcs)),
        )


def _roles(steps: Sequence[Step]) -> Iterator[Found]:
    for step in steps:
        if isinstance(step, Keep | Change) and step.found.key.kind is Kind.ROLE:
            yield step.found


async def _known(fact: Awaitable[T]) -> T | Unknown:
    try:
        return await fact
    except PortFailure as failure:
        words = " ".join(str(failure).split())
        return Unknown(words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…")
