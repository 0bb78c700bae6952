"""`spillway aws`, composed: one account and region, through boto3's own chain."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

from app.aws.account.account import Account
from app.aws.account.calls import Calls, Waiting
from app.aws.account.checks.examiner import Examiner
from app.aws.account.checks.finding import Finding
from app.aws.account.checks.judgement import judged
from app.aws.account.departure import Departure, departure, owns_cluster
from app.aws.account.leftovers import Counted, Sweeper
from app.aws.account.names import checked_name
from app.aws.account.options import Options
from app.aws.account.plan import Removal
from app.aws.account.values import Made
from app.aws.account.wish import Wish, options_of
from app.aws.connection import Connection, ConnectionConfig
from app.aws.offers import AwsOffers
from app.ports.clock import Clock
from app.wiring.clock import SystemClock

_FORGOTTEN: Final = 75.0
"""Seconds until a deleted queue is gone, a minute by SQS's own word, and some to spare."""

_EVERY: Final = 5.0


class Prepared:
    """One installation in the account that the credentials belong to.

    Attributes:
        account: what `init` makes, and `destroy` removes.
        sweeper: what bridges leave there.
        examiner: what `check` looks at.
    """

    def __init__(self, account: Account, sweeper: Sweeper, examiner: Examiner, *, clock: Clock) -> None:
        self._clock = clock
        self.account = account
        self.sweeper = sweeper
        self.examiner = examiner

    async def options(self, wish: Wish) -> Options:
        """A checked wish as options of this account. Raises PortFailure."""
        provider = wish.oidc_provider
        if wish.trust == "irsa" and not provider:
            provider = await self.account.oidc_provider(wish.eks_cluster)
        return options_of(wish, self.account.names, provider=provider)

    async def made(self) -> Made:
        """What the chart has to be told of what was made. Raises PortFailure."""
        groups = await self.account.security_groups()
        return Made(queue_url=await self.account.queue_url(), security_groups=groups)

    async def findings(self, wish: Wish) -> tuple[Finding, ...]:
        """What is to be said of the account, for a checked wish. Raises PortFailure."""
        options = await self.options(wish)
        return judged(await self.examiner.facts(options, wish), options=options, wish=wish)

    async def departure(self, *, keep_logs: bool) -> Departure:
        """All that goes when the installation is removed. Raises PortFailure."""
        steps = await self.account.plan_removal()
        tasks = await self.sweeper.tasks() if owns_cluster(steps) else ()
        left = await self.sweeper.look(tasks)
        others = await self.account.others()
        leaving = departure(steps, left, others=others, keep_logs=keep_logs)
        return msgspec.structs.replace(leaving, first=await self.account.holders(steps))

    async def remove(self, leaving: Departure, *, told: Callable[[Removal], None], counted: Counted) -> None:
        """Remove what is to go: tasks first, and last what others may still hold. Raises PortFailure."""
        await self.sweeper.stop(leaving.left.tasks, counted=counted)
        if leaving.has_cluster:
            await self.sweeper.ended(counted=counted)
        await self.account.remove(leaving.own, told=told)  # type: ignore[arg-type]  # applies no plan
        await self.sweeper.remove(leaving.left, counted=counted)
        await self.account.remove(leaving.shared, told=told)  # type: ignore[arg-type]  # applies no plan

    async def remains(self, *, keep_logs: bool) -> Departure:
        """What is still seen of it, looked at for a minute: AWS forgets slowly. Raises PortFailure."""
        until = self._clock.steady() + _FORGOTTEN
        while not (left := await self.departure(keep_logs=keep_logs)).is_nothing:
            if self._clock.steady() > until:
                break
            await self._clock.sleep(_EVERY)
        return left


@contextlib.asynccontextmanager
async def prepared(*, region: str, name: str, waiting: Waiting) -> AsyncIterator[Prepared]:
    """Open the account, and find out which it is.

    Args:
        region: empty means the AWS chain's.
        name: the installation's.
        waiting: hears why a call is repeated.

    Raises:
        NameFault: nothing can be called that.
        PortFailure: no region, no credentials, or no answer; the message names the mend.
    """
    clock, name = SystemClock(), checked_name(name)
    connection = await Connection.open(ConnectionConfig(region=region, threads=4, launch_threads=1))
    try:
        calls = Calls(connection, clock=clock, waiting=waiting)
        account = await Account.found(calls, name=name)
        examiner = Examiner(calls, account, offers=AwsOffers(connection))
        yield Prepared(account, Sweeper(calls, account.names, clock=clock), examiner, clock=clock)
    finally:
        connection.close()
