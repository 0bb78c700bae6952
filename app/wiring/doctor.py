"""`spillway doctor`, composed: one read-only look at an installation, and what all checks find in it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Iterable
from typing import Final, TypeVar

import msgspec

from app.doctor.configurations import Configuration, Held, held, is_ours
from app.doctor.diagnosis import Diagnosis, diagnose
from app.doctor.endpoints import Endpoint, endpoints, services
from app.doctor.installation import Attempt, attempts, setup_of, tls_secret
from app.doctor.rights import Program, Question, Setup, groups_of, questions
from app.doctor.seen import MORE_RIGHTS, Gate, Policy, Seen, Served, Trial, Unread, homes, known, left_out
from app.extender.cluster.affinity import admits
from app.extender.insight.policy import DEFAULTS, published
from app.extender.insight.policy import Policy as Published
from app.kube.connection import Connection
from app.kube.evictions import Evictions
from app.kube.examination import Examination
from app.kube.inspection import Inspection
from app.model.installed import Host, Workload
from app.model.lease import LeaseObject
from app.model.namespace import SYSTEM
from app.model.node import Node, is_virtual
from app.model.pod import Pod
from app.ports.clock import Clock
from app.ports.failures import NotFound, PortFailure, Refused, Unavailable
from app.tls.shown import shown_certificate
from app.wiring import kubernetes
from app.wiring.insight import Insight

_HANDSHAKE: Final = 3.0
"""Seconds; from outside the cluster most addresses never answer."""

_AT_ONCE: Final = 16
"""Questions about rights; there are some sixty."""

T = TypeVar("T")


class Examiner:
    """Looks at one installation.

    Args:
        connection: the cluster.
        clock: time.
        namespace: Spillway's own; empty takes the one that its leader published.
    """

    def __init__(self, connection: Connection, *, clock: Clock, namespace: str) -> None:
        self._connection = connection
        self._examination = Examination(connection)
        self._inspection = Inspection(connection)
        self._clock = clock
        self._namespace = namespace

    async def diagnosis(self) -> Diagnosis:
        """What all checks find.

        Raises:
            PortFailure: the API server does not answer.
        """
        seen = await self._tried(await self._read())
        return diagnose(await self._met(seen))

    async def _read(self) -> Seen:
        """What stands written in the cluster."""
        server = await self._connection.server_version()
        nodes = await self._or_why(self._inspection.nodes())
        namespaces = await self._or_why(self._inspection.namespaces())
        virtual = [node for node in known(nodes) if is_virtual(node)]
        told = published(virtual)
        installed = await self._or_why(self._examination.installed())
        own = self._namespace or (told.namespace if told else _only_home(installed))
        workloads = await self._or_why(self._examination.workloads(own))
        setup = setup_of(
            known(workloads),
            namespace=own,
            policy=_policy(told or DEFAULTS),
            nodes=virtual,
            namespaces=known(namespaces),
        )
        return Seen(
            now=self._clock.now(),
            server=server,
            own=kubernetes.own_version(),
            namespace=own,
            policy=_policy(told) if told is not None else None,
            gate=await self._or_why(self._gate(own)),
            workloads=workloads,
            installed=installed,
            webhooks=await self._or_why(self._examination.webhooks()),
            config_maps={
                each: await self._or_why(self._examination.config_maps(each)) for each in (own, SYSTEM)
            },
            nodes=nodes,
            namespaces=namespaces,
            setup=setup,
            services=await self._or_why(self._examination.services(SYSTEM)),
            policies=await self._or_why(self._examination.network_policies()),
            karpenter=await self._or_why(self._examination.has_karpenter()),
            waiting=await self._or_why(self._waiting(virtual)),
        )

    async def _tried(self, seen: Seen) -> Seen:
        """With what the API server says when it is asked to do something, for trial or for somebody else."""
        unasked = left_out(seen.webhooks, own=seen.namespace)
        tries = attempts(known(seen.namespaces), unasked=unasked, actuator=seen.actuator)
        return msgspec.structs.replace(
            seen,
            answers=await self._or_why(self._answers(seen.setup)),
            trials=tuple([await self._trial(each) for each in tries]),
            hosts=await self._or_why(self._hosts(seen.virtual)),
            healths={
                node.name: await self._or_why(self._examination.health(node.name)) for node in seen.virtual
            },
        )

    async def _met(self, seen: Seen) -> Seen:
        """With what is served where, and who holds the schedulers' Leases."""
        found = held(seen.config_maps)
        asked = endpoints(seen.webhooks, found, seen.hosts, namespace=seen.namespace)
        secret = tls_secret(known(seen.workloads))
        served = await asyncio.gather(*(self._served(each, seen.namespace, secret) for each in asked))
        leases = {key: await self._lease(key) for key in _leases(found, seen.namespace)}
        return msgspec.structs.replace(
            seen,
            certificates=tuple(served),
            scheduler_leases=leases,
            services_reached=await self._reached(asked),
        )

    async def _or_why(self, asked: Awaitable[T]) -> T | Unread:
        """The answer, or why there is none; what nobody answers while the API server is away is no finding.

        Raises:
            PortFailure: the API server does not answer at all.
        """
        try:
            return await asked
        except PortFailure as error:
            if isinstance(error, Unavailable):
                await self._connection.server_version()
            return Unread(str(error), _help(error))

    async def _gate(self, namespace: str) -> Gate:
        looking = Insight(
            self._inspection,
            evictions=Evictions(self._connection),
            clock=self._clock,
            namespace=namespace,
            option="--namespace",
        )
        status = await looking.status()
        holder = status.leader.holder if status.leader.alive else ""
        return Gate(holder=holder, troubles=status.troubles, notes=status.notes, unread=status.unread)

    async def _answers(self, setup: Setup) -> dict[tuple[Program, Question], bool]:
        turns = asyncio.Semaphore(_AT_ONCE)

        async def may(question: Question) -> bool:
            async with turns:
                groups = groups_of(setup.namespace)
                return await self._examination.may(question.user, groups, question.attributes)

        asked = tuple(questions(setup))
        answers = await asyncio.gather(*(may(question) for _, question in asked))
        return dict(zip(asked, answers, strict=True))

    async def _waiting(self, virtual: Iterable[Node]) -> tuple[Pod, ...]:
        """Without a virtual node nobody lands on one, and nothing is asked."""
        nodes = tuple(virtual)
        pods = await self._examination.waiting() if nodes else ()
        return tuple(pod for pod in pods if any(admits(pod, node) for node in nodes))

    async def _hosts(self, nodes: Iterable[Node]) -> tuple[Host, ...]:
        return tuple([await self._examination.host(node.name) for node in nodes])

    async def _reached(self, asked: Iterable[Endpoint]) -> dict[str, str | Unread]:
        return {
            f"{each.namespace}/{each.name}": await self._or_why(self._examination.readiness(each))
            for each in services(asked)
        }

    async def _trial(self, attempt: Attempt) -> Trial:
        pod = await self._or_why(self._examination.trial(attempt.namespace, attempt.pod))
        return Trial(namespace=attempt.namespace, word=attempt.word, pod=pod)

    async def _served(self, endpoint: Endpoint, namespace: str, secret: str) -> Served:
        """As it is shown there, or where nobody gets there from here, as the Secret holds it."""
        where = f"{endpoint.host}:{endpoint.port}"
        chain = await self._or_why(shown_certificate(endpoint.host, endpoint.port, within=_HANDSHAKE))
        if isinstance(chain, Unread) and endpoint.in_secret:
            where = f"Secret {namespace}/{secret}"
            chain = await self._or_why(self._examination.certificate(namespace, secret))
        return Served(
            what=endpoint.what,
            where=where,
            host=endpoint.name,
            trusted=endpoint.trusted,
            chain=chain,
            is_verified=endpoint.is_verified,
        )

    async def _lease(self, key: str) -> LeaseObject | Unread | None:
        namespace, _, name = key.partition("/")
        return await self._or_why(self._inspection.lease(namespace, name))


def _help(failure: PortFailure) -> str:
    """What helps where something cannot be read."""
    match failure:
        case Refused():
            return MORE_RIGHTS
        case NotFound():
            return "nothing, where this cluster has no such thing: kubectl api-resources"
        case _:
            return "spillway doctor, once more; kubectl get --raw /readyz tells how the API server is"


def _only_home(installed: tuple[Workload, ...] | Unread) -> str:
    """Where the programs are, if that is one namespace; where they usually are otherwise."""
    found = homes(installed)
    return found[0] if len(found) == 1 else DEFAULTS.namespace


def _policy(told: Published) -> Policy:
    return Policy(
        actuator=told.gate.actuator,
        early_burst=told.gate.early_seats > 0,
        return_home=told.returns is not None,
        handover=told.handover,
    )


def _leases(found: Iterable[Held], namespace: str) -> Iterable[str]:
    """The Leases of the schedulers that ask us."""
    configurations = (each.configuration for each in found if isinstance(each.configuration, Configuration))
    return {
        each.lease: None
        for each in configurations
        if each.lease and any(is_ours(extender, namespace=namespace) for extender in each.extenders)
    }


@contextlib.asynccontextmanager
async def examiner(kubeconfig: str, *, namespace: str, clock: Clock) -> AsyncIterator[Examiner]:
    """A look at the cluster of this kubeconfig.

    Raises:
        StartError: no cluster is configured; the message names the mend.
    """
    connection = await kubernetes.connected(kubeconfig, clock=clock, component="doctor")
    try:
        yield Examiner(connection, clock=clock, namespace=namespace)
    finally:
        await connection.close()
