"""The flags that `spillway aws init` and `check` share, as one wish."""

import enum
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Final, NamedTuple

import typer

from app.aws.account.wish import Wish, WishFault, checked
from app.cli.aws_asking import NO_ACCOUNT
from app.cli.ending import fail


class Trust(enum.Enum):
    """How the bridge becomes its role."""

    POD_IDENTITY = "pod-identity"
    IRSA = "irsa"
    NODE_ROLE = "node-role"


class Insights(enum.Enum):
    """Container Insights."""

    ENABLED = "enabled"
    ENHANCED = "enhanced"
    DISABLED = "disabled"


Several = list[str] | None


class _Flag(NamedTuple):
    kind: Any
    default: Any
    flag: str
    doc: str


_FLAGS: Final[dict[str, _Flag]] = {
    "trust": _Flag(
        Trust,
        Trust.POD_IDENTITY,
        "--trust",
        "How the bridge becomes its role: EKS Pod Identity, IRSA, or the nodes' role (kube2iam).",
    ),
    "namespace": _Flag(
        str,
        "spillway",
        "--namespace",
        "Of the bridge's service account.",
    ),
    "service_account": _Flag(
        str,
        "spillway-bridge",
        "--service-account",
        "The bridge's service account.",
    ),
    "oidc_provider": _Flag(
        str,
        "",
        "--oidc-provider",
        "For IRSA: ARN of the cluster's OpenID provider in IAM; empty: the EKS cluster's.",
    ),
    "node_role": _Flag(
        str,
        "",
        "--node-role",
        "For node-role: ARN of the role that the nodes have.",
    ),
    "eks_cluster": _Flag(
        str,
        "",
        "--eks-cluster",
        "The EKS cluster's name, where the bridge may look Pod Identity roles up.",
    ),
    "vpc": _Flag(
        str,
        "",
        "--vpc",
        "Where tasks run; empty: no security group.",
    ),
    "subnets": _Flag(
        Several,
        None,
        "--subnets",
        "Subnets for the tasks, with commas.",
    ),
    "public_ip": _Flag(
        bool,
        False,  # noqa: FBT003  (a default in a table)
        "--assign-public-ip",
        "Tasks get public addresses (public subnets without NAT).",
    ),
    "node_security_groups": _Flag(
        Several,
        None,
        "--node-security-group",
        "A group of the nodes, which may reach the tasks; repeat it.",
    ),
    "pod_cidrs": _Flag(
        Several,
        None,
        "--pod-cidr",
        "Pods' addresses, which may reach the tasks; repeat it.",
    ),
    "retention_days": _Flag(
        int,
        30,
        "--log-retention",
        "Days that the containers' logs are kept.",
    ),
    "insights": _Flag(
        Insights,
        Insights.ENABLED,
        "--container-insights",
        "What kubectl top and HPA of overflow pods rest on.",
    ),
    "kms_key": _Flag(
        str,
        "",
        "--kms-key",
        "ARN of the key that encrypts sessions of kubectl exec; empty: TLS alone.",
    ),
    "task_roles": _Flag(
        Several,
        None,
        "--task-role",
        "ARN of a role that pods may be given, * for any part; repeat it.",
    ),
    "ebs_role": _Flag(
        str,
        "",
        "--ebs-role",
        "ARN of the role with which ECS manages EBS volumes.",
    ),
    "boundary": _Flag(
        str,
        "",
        "--permissions-boundary",
        "ARN of the permissions boundary of all roles.",
    ),
}
"""By the wish's fields."""


def wishing(command: Callable[..., None]) -> Callable[..., None]:
    """A typer command whose parameter `wish` is made of the shared flags.

    What cannot be met ends with exit code 2 and one line per fault.
    """

    def call(**given: Any) -> None:
        told = {name: _plain(given.pop(name)) for name in _FLAGS}
        try:
            wish = checked(Wish(**told))
        except WishFault as error:
            as_json = bool(given.get("as_json"))
            raise typer.Exit(fail(str(error), code=NO_ACCOUNT, as_json=as_json)) from error
        command(wish=wish, **given)

    own = [each for each in inspect.signature(command).parameters.values() if each.name != "wish"]
    call.__signature__ = inspect.Signature([*own, *map(_parameter, _FLAGS)])  # type: ignore[attr-defined]  # typer reads it
    call.__doc__ = command.__doc__
    return call


def _parameter(name: str) -> inspect.Parameter:
    each = _FLAGS[name]
    variable = "SPILLWAY_SUBNETS" if name == "subnets" else None
    option = typer.Option(each.flag, help=each.doc, envvar=variable)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=Annotated[each.kind, option]
    )


def _plain(value: Any) -> Any:
    """A flag's value as the wish has it: choices by their words, repetitions and commas as one list."""
    match value:
        case enum.Enum():
            return value.value
        case None:
            return ()
        case list() | tuple():
            return tuple(part.strip() for text in value for part in text.split(",") if part.strip())
        case _:
            return value
