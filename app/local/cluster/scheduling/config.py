"""How the embedded scheduler is set up: the same choices as KubeSchedulerConfiguration v1 has.

https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
"""

import msgspec


class ExtenderConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One extender; an empty verb is never called.

    Attributes:
        url_prefix: the verbs are appended to it: `POST {url_prefix}/{verb}`.
        filter_verb: takes nodes away.
        prioritize_verb: scores nodes, 0..10, times `weight` times 10.
        preempt_verb: takes preemption candidates away.
        weight: see `prioritize_verb`; from 16 on it outweighs every score plugin together.
        ignorable: whether scheduling goes on without an answer.
        timeout: seconds for one call.
        node_cache_capable: whether the extender is sent node names instead of whole nodes.
        managed_resources: it is asked about the pods alone of which a container names one of these extended
            resources, whatever the quantity; about all pods where there is none.
        ca_pem: the authority behind an https prefix; the machine's own where it is empty.
    """

    url_prefix: str
    filter_verb: str = "filter"
    prioritize_verb: str = ""
    preempt_verb: str = "preempt"
    weight: int = 16
    ignorable: bool = True
    timeout: float = 2.0
    node_cache_capable: bool = True
    managed_resources: frozenset[str] = frozenset()
    ca_pem: bytes = b""


class SchedulerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One scheduler process.

    Attributes:
        names: it schedules the pods whose `spec.schedulerName` is one of these.
        extender: asked about the pods of all names that concern it; None for a plain scheduler.
        initial_backoff: seconds before a pod's second attempt.
        max_backoff: seconds that no backoff exceeds.
    """

    names: tuple[str, ...] = ("default-scheduler",)
    extender: ExtenderConfig | None = None
    initial_backoff: float = 1.0
    max_backoff: float = 10.0
