"""Whether the API server reaches the Services of webhook and extender.

It is asked to pass a request on, as by `kubectl proxy`, and verifies no certificate then: what fails here is
the network, or the pods. So a trial that fails where this does not is the certificate's fault.

https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/
"""

from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, fail, ok, skip, unread
from app.doctor.seen import Seen, Unread

SERVICE: Final = "service"
_NO_LEAVE: Final = (": 403 ", ": 404 ")


def check(seen: Seen) -> Iterator[Finding]:
    """Each Service."""
    if isinstance(seen.webhooks, Unread):
        yield unread(SERVICE, "which Service the API server calls", seen.webhooks)
    for name, answer in seen.services_reached.items():
        yield _of(name, answer)


def _of(name: str, answer: str | Unread) -> Finding:
    if not isinstance(answer, Unread):
        return ok(SERVICE, f"the API server reaches {name}")
    if any(each in answer.why for each in _NO_LEAVE):
        return skip(SERVICE, f"the way to {name} cannot be tried: {answer.why}", answer.mend)
    namespace, _, service = name.partition("/")
    return fail(
        SERVICE,
        f"the API server does not reach {name}: {answer.why}",
        f"kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={service}; with Ready "
        "addresses there, open the way from the control plane to them (security groups, NetworkPolicies)",
    )
