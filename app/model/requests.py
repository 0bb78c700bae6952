"""What a pod asks for, as the scheduler counts it."""

import msgspec

from app.model.container import ResourceRequirements
from app.model.pod import Pod
from app.model.resources import Resources, total


def effective_requests(requirements: ResourceRequirements) -> dict[str, str]:
    """A container's requests, with a limit standing in where no request is given, as the API server does."""
    return {**requirements.limits, **requirements.requests}


def requests_of(pod: Pod) -> Resources:
    """What the scheduler reserves for the pod, one pod slot included.

    The larger of the sum of its containers (sidecars included) and each init container beside the
    sidecars started before it, plus the overhead; pod-level requests win for what they name.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    and KEP-753 for sidecars, KEP-2837 for pod-level resources.

    Raises:
        QuantityError: a quantity does not parse.
    """
    sidecars = Resources()
    peak = Resources()
    for init in pod.spec.init_containers:
        asked = Resources.parse(effective_requests(init.resources))
        if init.restart_policy == "Always":
            sidecars += asked
            peak = peak.at_least(sidecars)
        else:
            peak = peak.at_least(sidecars + asked)
    containers = total(Resources.parse(effective_requests(each.resources)) for each in pod.spec.containers)
    summed = (containers + sidecars).at_least(peak)
    if pod.spec.resources is not None:
        summed = _override(summed, effective_requests(pod.spec.resources))
    return summed + Resources.parse(pod.spec.overhead) + Resources(pods=1)


def _override(amount: Resources, named: dict[str, str]) -> Resources:
    parsed = Resources.parse(named)
    return msgspec.structs.replace(
        amount,
        cpu_milli=parsed.cpu_milli if "cpu" in named else amount.cpu_milli,
        memory=parsed.memory if "memory" in named else amount.memory,
    )
