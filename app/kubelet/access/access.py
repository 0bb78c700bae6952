"""Who may: proves who calls, asks the API server what they may, and answers those who may not."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from typing import Final

import msgspec

from app.kubelet.access.attributes import Attributes, attributes
from app.kubelet.access.credentials import Secret, subject_of, token_of, with_everybody
from app.kubelet.access.refusals import UNAUTHORIZED, forbidden, undecided
from app.kubelet.access.verdicts import Verdicts
from app.kubelet.messages import Answer, Request
from app.kubelet.metrics import KubeletMetrics
from app.ports.access import Answered, Caller, NodeAccess, Reviews
from app.ports.clock import Clock
from app.ports.failures import PortFailure
from app.telemetry import logs

log: Final = logs.get(__name__)


class AccessConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How long verdicts hold, in seconds, and how many there are; the kubelet's own defaults.

    https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/

    Attributes:
        client_names: common names whose certificates count; all that the authorities signed where empty.
        token: how long it is known whose a token is, and that it is nobody's.
        allowed: how long a yes holds.
        denied: how long a no holds.
        most: of tokens, and of answers, that are remembered.
        questions: to the API server at once.
    """

    client_names: tuple[str, ...] = ()
    token: float = 120.0
    allowed: float = 300.0
    denied: float = 30.0
    most: int = 4096
    questions: int = 16


class _Known(msgspec.Struct, frozen=True):
    """Whose a token is; None where it is nobody's."""

    caller: Caller | None


_Question = tuple[str, tuple[str, ...], str, tuple[tuple[str, tuple[str, ...]], ...], NodeAccess]


class Access:
    """Authentication and authorization of one node's API. Nobody is anonymous."""

    def __init__(
        self,
        reviews: Reviews,
        *,
        node: str,
        clock: Clock,
        config: AccessConfig,
        metrics: KubeletMetrics,
        pepper: bytes,
    ) -> None:
        """Ask nothing yet.

        Args:
            reviews: the API server's judgement.
            node: the node's name, which is what rights are given on.
            clock: time.
            config: how long verdicts hold.
            metrics: what is counted.
            pepper: random bytes of this process: tokens are remembered as digests that are keyed with them.
        """
        self._reviews = reviews
        self._node = node
        self._names = frozenset(config.client_names)
        self._pepper = pepper
        self._denied = metrics.denied
        questions = asyncio.Semaphore(config.questions)
        self._callers = Verdicts[bytes, _Known](
            clock=clock,
            keep=lambda _: config.token,
            most=config.most,
            questions=questions,
            count=_counting(metrics, "token"),
        )
        self._answers = Verdicts[_Question, Answered](
            clock=clock,
            keep=lambda answered: config.allowed if answered.allowed else config.denied,
            most=config.most,
            questions=questions,
            count=_counting(metrics, "access"),
        )

    async def refusal(self, request: Request) -> Answer | None:
        """The kubelet's answer to who may not (401, 403, or 500 where nobody could say); None to who may."""
        caller = await self._caller(request)
        if caller is None:
            self._denied.labels("unauthorized").inc()
            return UNAUTHORIZED
        return await self._refusal(caller, attributes(request.method, request.target))

    async def _caller(self, request: Request) -> Caller | None:
        subject = subject_of(request, names=self._names)
        if subject is not None:
            return Caller(name=subject.name, groups=with_everybody(subject.groups))
        token = token_of(request)
        return await self._owner(token) if token is not None else None

    async def _owner(self, token: Secret) -> Caller | None:
        digest = hmac.digest(self._pepper, token.text.encode(), hashlib.sha256)
        try:
            return (await self._callers.get(digest, lambda: self._review(token))).caller
        except PortFailure as failure:
            log.warning("a token could not be reviewed", reason=str(failure))
            return None

    async def _review(self, token: Secret) -> _Known:
        caller = await self._reviews.caller(token.text)
        if caller is None:
            return _Known(None)
        return _Known(msgspec.structs.replace(caller, groups=with_everybody(caller.groups)))

    async def _refusal(self, caller: Caller, asked: Attributes) -> Answer | None:
        for subresource in asked.subresources:
            wanted = NodeAccess(node=self._node, verb=asked.verb, subresource=subresource)
            try:
                answered = await self._answered(caller, wanted)
            except PortFailure as failure:
                log.warning(
                    "nobody could say whether a caller may",
                    user=caller.name,
                    verb=asked.verb,
                    subresource=subresource,
                    reason=str(failure),
                )
                self._denied.labels("undecided").inc()
                return undecided(caller.name, verb=asked.verb, subresource=subresource)
            if answered.allowed:
                return None
        self._denied.labels("forbidden").inc()
        log.info("forbidden", user=caller.name, verb=asked.verb, subresources=list(asked.subresources))
        return forbidden(caller.name, asked)

    async def _answered(self, caller: Caller, wanted: NodeAccess) -> Answered:
        extra = tuple(sorted(caller.extra.items()))
        question = (caller.name, caller.groups, caller.uid, extra, wanted)
        return await self._answers.get(question, lambda: self._reviews.answer(caller, wanted))


def _counting(metrics: KubeletMetrics, kind: str) -> Callable[[str], None]:
    return lambda outcome: metrics.reviews.labels(kind, outcome).inc()
