"""Images in their registries, each asked for once however many pods want it (`app.ports.images.Images`)."""

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from copy import copy
from typing import NamedTuple

import msgspec

from app.model.image import ImageConfig, RegistryLogin
from app.model.image_reference import ImageNameError, ImageReference, parsed
from app.model.registry_login import matching
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure, Refused, Unavailable
from app.ports.images import Architecture, Logins
from app.registry.answers import TooFast
from app.registry.conversation import Conversation
from app.registry.recent import Recent
from app.registry.transport import Transport


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """How many seconds an answer counts, and of how many images answers are kept.

    A digest's answer is never outdated. `longest_pause` bounds what a registry's Retry-After may ask for;
    `patience` is for all requests of one image together.
    """

    tag: float = 300.0
    failure: float = 10.0
    longest_pause: float = 300.0
    patience: float = 60.0
    images: int = 1000


class RegistryImages:
    """Configurations of images, from their registries. Close it before its transport.

    An answer is remembered for the logins that it was found with: an image that one namespace may pull is not
    shown to another.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock,
        logins: Logins | None = None,
        memory: Memory = Memory(),  # noqa: B008  (frozen)
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._logins = logins
        self._memory = memory
        self._known: Recent[_Question, _Known] = Recent(most=memory.images)
        self._failed: Recent[_Question, _Failed] = Recent(most=memory.images)
        self._configs: Recent[tuple[str, str, str], ImageConfig] = Recent(most=memory.images)
        self._flights: dict[_Question, asyncio.Task[_Known | _Failed]] = {}

    async def config(
        self, image: str, *, architecture: Architecture, credentials: tuple[RegistryLogin, ...] = ()
    ) -> ImageConfig:
        """The configuration of a Linux image (`app.ports.images.Images.config`)."""
        question = _question(image, architecture, credentials)
        now = self._clock.steady()
        for remembered in (self._known.get(question), self._failed.get(question)):
            if remembered is not None and now < remembered.until:
                return remembered.config()
        return (await self._shared(question)).config()

    async def close(self) -> None:
        """Give up what is under way; whoever waits for it gets Unavailable."""
        flights = tuple(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _shared(self, question: "_Question") -> "_Known | _Failed":
        """The answer to the question, under way or new; who stops waiting leaves it to the others."""
        flight = self._flights.get(question)
        if flight is None:
            flight = asyncio.create_task(self._look_up(question), name=f"image {question.reference.text}")
            self._flights[question] = flight
            flight.add_done_callback(lambda _: self._flights.pop(question))
        await asyncio.wait([flight])
        if flight.cancelled():
            raise Unavailable(f"{question.reference.text}: not asked for any more, the program is stopping")
        return flight.result()

    async def _look_up(self, question: "_Question") -> "_Known | _Failed":
        try:
            async with asyncio.timeout(self._memory.patience):
                found = await self._found(question)
        except TimeoutError:
            return self._failure(
                question, Unavailable(f"{question.reference.text}: the registry is too slow")
            )
        except PortFailure as failure:
            return self._failure(question, failure)
        lasts = math.inf if question.reference.digest else self._clock.steady() + self._memory.tag
        known = _Known(found, lasts)
        self._known.put(question, known)
        return known

    def _failure(self, question: "_Question", failure: PortFailure) -> "_Failed":
        pause = min(failure.seconds, self._memory.longest_pause) if isinstance(failure, TooFast) else 0.0
        until = self._clock.steady() + max(pause, self._memory.failure)
        # A copy has no traceback, whose frames would keep the answers that they read.
        failed = _Failed(copy(failure), until)
        self._failed.put(question, failed)
        return failed

    async def _found(self, question: "_Question") -> ImageConfig:
        """What the first login that the registry accepts finds; registries hide what they do not show."""
        failures: list[PortFailure] = []
        async with aclosing(self._candidates(question)) as candidates:
            async for login in candidates:
                try:
                    return await self._asked(question, login)
                except (Refused, NotFound) as failure:
                    failures.append(failure)
        raise failures[-1]

    async def _candidates(self, question: "_Question") -> AsyncGenerator[RegistryLogin | None, None]:
        """The pod's logins, then our own; nobody's where there are none, as a kubelet does."""
        for login in question.logins:
            yield login
        own = await self._logins.login(question.reference.registry) if self._logins else None
        if own is not None or not question.logins:
            yield own

    async def _asked(self, question: "_Question", login: RegistryLogin | None) -> ImageConfig:
        """One login's answer, with as few requests as what is known allows."""
        conversation = Conversation(question.reference, transport=self._transport, login=login)
        outdated = self._known.get(question)
        if outdated is not None and await conversation.current_digest() == outdated.value.digest:
            return outdated.value
        digest, manifest = await conversation.manifest()
        key = (question.reference.name, digest, question.architecture)
        found = self._configs.get(key)
        if found is None:
            found = await conversation.config(digest, manifest, architecture=question.architecture)
            self._configs.put(key, found)
        return found


class _Question(NamedTuple):
    reference: ImageReference
    architecture: Architecture
    logins: tuple[RegistryLogin, ...]


class _Known(NamedTuple):
    value: ImageConfig
    until: float

    def config(self) -> ImageConfig:
        return self.value


class _Failed(NamedTuple):
    failure: PortFailure
    until: float

    def config(self) -> ImageConfig:
        raise copy(self.failure)


def _question(image: str, architecture: Architecture, credentials: tuple[RegistryLogin, ...]) -> _Question:
    try:
        reference = parsed(image)
    except ImageNameError as error:
        raise Refused(str(error)) from error
    return _Question(reference, architecture, matching(reference, credentials))
