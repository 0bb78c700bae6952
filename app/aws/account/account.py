"""The account: looked at, made as wanted, and rid of us again. The shell around `wanted` and `plan`."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Self, assert_never

from app.aws import errors
from app.aws.account.calls import Calls
from app.aws.account.makers.clusters import Clusters
from app.aws.account.makers.log_groups import LogGroups
from app.aws.account.makers.queues import Queues
from app.aws.account.makers.roles import Roles
from app.aws.account.makers.rules import Rules
from app.aws.account.makers.security_groups import SecurityGroups
from app.aws.account.makers.service_roles import ServiceRoles
from app.aws.account.names import Names
from app.aws.account.options import Options
from app.aws.account.plan import (
    Absent,
    Change,
    Create,
    Delete,
    Found,
    Keep,
    Refuse,
    Removal,
    Step,
    plan,
    plan_removal,
)
from app.aws.account.wanted import Key, Kind, wanted
from app.ports.failures import NotFound, PortFailure, Refused, Unavailable

if TYPE_CHECKING:
    from app.aws.account.makers.maker import Maker

Told = Callable[[Step | Removal], None]
"""Hears of each step when it is done."""


class Account:
    """One installation in one account and region."""

    def __init__(self, calls: Calls, names: Names) -> None:
        """Nothing is asked yet."""
        self.names = names
        self._calls = calls
        self._clusters = Clusters(calls, names)
        self._groups = SecurityGroups(calls, names)
        self._queues = Queues(calls, names)
        self._makers: Mapping[Kind, Maker] = {
            Kind.SERVICE_ROLE: ServiceRoles(calls, names),
            Kind.LOG_GROUP: LogGroups(calls, names),
            Kind.CLUSTER: self._clusters,
            Kind.ROLE: Roles(calls, names),
            Kind.SECURITY_GROUP: self._groups,
            Kind.QUEUE: self._queues,
            Kind.RULE: Rules(calls, names),
        }

    @classmethod
    async def found(cls, calls: Calls, *, name: str) -> Self:
        """The account that the credentials belong to. Raises PortFailure."""
        try:
            identity = await calls.ask("sts", "get_caller_identity")
        except Unavailable as failure:
            raise _unreached(failure, calls.region) from failure
        partition = str(identity["Arn"]).split(":")[1]
        account = str(identity["Account"])
        return cls(calls, Names(name=name, account=account, region=calls.region, partition=partition))

    async def identity(self) -> str:
        """The ARN that the credentials belong to. Raises PortFailure."""
        return str((await self._calls.ask("sts", "get_caller_identity"))["Arn"])

    async def oidc_provider(self, eks_cluster: str) -> str:
        """ARN of the EKS cluster's OpenID Connect provider in IAM; that it exists is not said.

        Raises:
            PortFailure: there is no such cluster, it has no issuer, or we may not ask.
        """
        answer = await self._calls.ask("eks", "describe_cluster", name=eks_cluster)
        issuer = (answer["cluster"].get("identity") or {}).get("oidc", {}).get("issuer", "")
        if not issuer:
            raise Refused(f"EKS cluster {eks_cluster} has no OpenID Connect issuer; use --trust pod-identity")
        host = str(issuer).removeprefix("https://")
        names = self.names
        return f"arn:{names.partition}:iam::{names.account}:oidc-provider/{host}"

    async def look(self, keys: Iterable[Key]) -> dict[Key, Found]:
        """What is there of these. Raises PortFailure."""
        found = {key: await self._find(key) for key in keys}
        return {key: each for key, each in found.items() if each is not None}

    async def _find(self, key: Key) -> Found | None:
        """None as well where it goes while it is looked at: AWS forgets one part after the other."""
        with _about(key):
            try:
                return await self._makers[key.kind].find(key)
            except NotFound:
                return None

    async def plan(self, options: Options) -> tuple[Step, ...]:
        """How the account becomes as wanted; nothing is changed yet. Raises PortFailure."""
        resources = wanted(options)
        found = await self.look(each.key for each in resources)
        return plan(resources, found, owner=self.names.name)

    async def plan_removal(self) -> tuple[Removal, ...]:
        """How the account is rid of us: in whichever VPC the groups are. Raises PortFailure."""
        names = self.names
        groups = [each.key for each in await self._groups.ours(names.security_group)]
        # They go last: rules of other groups may name them, and then everything else is gone already.
        keys = groups or [Key(Kind.SECURITY_GROUP, names.security_group)]
        keys += [each.key for each in wanted(Options(names=names)) if each.key.kind is not Kind.SERVICE_ROLE]
        return plan_removal(keys, await self.look(keys), owner=names.name)

    async def apply(self, steps: Sequence[Step], *, told: Told) -> None:
        """Carry a plan out that refuses nothing; what a failure leaves undone, the next plan contains.

        Raises:
            PortFailure: of the step that failed; those before it stay.
        """
        for step in steps:
            match step:
                case Create(resource):
                    maker = self._makers[resource.key.kind]
                    with _about(resource.key):
                        await maker.change(resource, await maker.create(resource))
                case Change(resource, _, aspects):
                    with _about(resource.key):
                        await self._makers[resource.key.kind].change(resource, aspects)
                case Keep() | Refuse():
                    pass
                case _:
                    assert_never(step)
            told(step)

    async def remove(self, steps: Sequence[Removal], *, told: Told) -> None:
        """Carry a removal out; what is not ours stays. Raises PortFailure: of the step that failed."""
        for step in steps:
            match step:
                case Delete(found):
                    with _about(found.key):
                        await self._makers[found.key.kind].delete(found)
                case Absent() | Refuse():
                    pass
                case _:
                    assert_never(step)
            told(step)

    async def others(self) -> tuple[str, ...]:
        """Names of the other installations in this account and region, by their ECS clusters' tags."""
        return tuple(sorted(await self._clusters.owners() - {"", self.names.name}))

    async def holders(self, steps: Iterable[Removal]) -> tuple[str, ...]:
        """The commands that have to come before a removal, since EC2 keeps groups that others' rules name.

        Raises:
            PortFailure: they cannot be looked at.
        """
        groups = (
            each.found
            for each in steps
            if isinstance(each, Delete) and each.found.key.kind is Kind.SECURITY_GROUP
        )
        return tuple([command for each in groups for command in await self._groups.holders(each)])

    async def queue_url(self) -> str:
        """The queue's URL, for the bridge; empty where there is none."""
        return await self._queues.url(self.names.queue)

    async def security_group(self) -> Found | None:
        """Our security group, in whichever VPC. Raises PortFailure."""
        return next(iter(await self._groups.ours(self.names.security_group)), None)

    async def security_groups(self) -> tuple[str, ...]:
        """Ids of our security groups, for the bridge."""
        listed = (each.identifier for each in await self._groups.ours(self.names.security_group))
        return tuple(dict.fromkeys((*self._groups.made, *listed)))


@contextlib.contextmanager
def _about(key: Key) -> Iterator[None]:
    """Say of which resource a failure is."""
    try:
        yield
    except PortFailure as failure:
        raise type(failure)(f"{key}: {failure}") from failure


def _unreached(failure: Unavailable, region: str) -> Unavailable:
    """No answer at all is often a region that does not exist."""
    if errors.code_of(failure):
        return failure
    return Unavailable(f"{failure} (is there a region {region}, and does this machine reach AWS?)")
