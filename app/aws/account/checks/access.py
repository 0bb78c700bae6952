"""Who may become what, and whether the roles may do what they have to. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from app.aws.account.checks.facts import Decisions, Facts, Provider
from app.aws.account.checks.finding import Finding, Unknown, fail, fine, unexamined, warn
from app.aws.account.checks.permissions import Permission
from app.aws.account.options import Irsa, Options, PodIdentity
from app.aws.account.plan import Change, Keep, Step
from app.aws.account.policies import AUDIENCE
from app.aws.account.values import association_command
from app.aws.account.wanted import POLICY, TRUST, Kind

_SILENT: Final = "IAM's simulator cannot be asked"
_INIT: Final = "run spillway aws init with the same flags"


def access_findings(facts: Facts, options: Options) -> Iterator[Finding]:
    """Permissions and trust of every role that is there."""
    names = options.names
    for role in (names.bridge_role, names.execution_role, names.task_role):
        step = _step_of(role, facts.steps)
        if step is None:
            continue
        yield from _permissions(role, facts.decisions.get(role, {}), step)
        yield _trust(role, step)
    yield from _identity(facts, options)
    yield _service_role(facts.service_role)


def _step_of(role: str, steps: Sequence[Step]) -> Change | Keep | None:
    for step in steps:
        if isinstance(step, Change | Keep) and (step.found.key.kind, step.found.key.name) == (
            Kind.ROLE,
            role,
        ):
            return step
    return None


def _aspects(step: Change | Keep) -> tuple[str, ...]:
    return step.aspects if isinstance(step, Change) else ()


def _permissions(role: str, decisions: Decisions | Unknown, step: Change | Keep) -> Iterator[Finding]:
    subject = f"permissions of {role}"
    if isinstance(decisions, Unknown):
        yield _unsimulated(subject, decisions, step)
        return
    denied = {each: decision for each, decision in decisions.items() if decision != "allowed"}
    for purpose, actions in _by_purpose(denied).items():
        explicit = any(denied[each] == "explicitDeny" for each in actions)
        why = "denied by a policy, a boundary or the organization" if explicit else "not allowed"
        what = ", ".join(f"{each.action} on {each.resource}" for each in actions)
        mend = "look for the statement that denies it" if explicit else _INIT
        yield fail(subject, f"{purpose}: {what} is {why}", mend)
    if not denied:
        yield fine(subject, f"all {len(decisions)} are allowed, says IAM's simulator")


def _by_purpose(denied: Mapping[Permission, str]) -> dict[str, list[Permission]]:
    purposes: dict[str, list[Permission]] = {}
    for each in denied:
        purposes.setdefault(each.purpose, []).append(each)
    return purposes


def _unsimulated(subject: str, unknown: Unknown, step: Change | Keep) -> Finding:
    """IAM could not be asked: whether the policy is the one that init writes is the next best thing."""
    if POLICY in _aspects(step):
        said = "the policy is not the one of these flags"
        return fail(subject, f"{said}; {_SILENT}: {unknown.reason}", _INIT)
    said = f"the policy is the one that init writes; {_SILENT}: {unknown.reason}"
    return warn(subject, said, "run check with an identity that has iam:SimulatePrincipalPolicy")


def _trust(role: str, step: Change | Keep) -> Finding:
    subject = f"trust of {role}"
    if TRUST in _aspects(step):
        return fail(subject, "is not the one of these flags", f"{_INIT}, or give check the flags of init")
    return fine(subject, "as it should be")


def _identity(facts: Facts, options: Options) -> Iterator[Finding]:
    match options.trust, facts.provider, facts.association:
        case Irsa(), Unknown() as unknown, _:
            yield unexamined("OpenID provider", unknown)
        case Irsa(provider=arn), Provider() as provider, _:
            yield _provider(arn, provider)
        case PodIdentity(), _, Unknown() as unknown:
            yield unexamined("Pod Identity", unknown)
        case PodIdentity(), _, str(association):
            yield _association(association, options)
        case PodIdentity(account=account), _, None:
            look = "aws eks list-pod-identity-associations --cluster-name EKS-CLUSTER"
            whose = f"--namespace {account.namespace} --service-account {account.name}"
            mend = f"give init and check --eks-cluster, or look for it: {look} {whose}"
            yield warn("Pod Identity", "not examined: no EKS cluster is named", mend)
        case _:
            return


def _provider(arn: str, provider: Provider) -> Finding:
    subject = "OpenID provider"
    if not provider.is_there:
        mend = "eksctl utils associate-iam-oidc-provider --approve --cluster YOUR-CLUSTER"
        return fail(subject, f"IAM does not know {arn}", mend)
    if AUDIENCE not in provider.audiences:
        mend = "aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn "
        return fail(subject, f"{arn} takes no tokens for {AUDIENCE}", f"{mend}{arn} --client-id {AUDIENCE}")
    return fine(subject, arn)


def _association(association: str, options: Options) -> Finding:
    subject, role = "Pod Identity", options.names.role_arn(options.names.bridge_role)
    if association == role:
        return fine(subject, f"the bridge's service account gets {role}")
    if not association:
        return fail(subject, "the bridge's service account gets no role", association_command(options))
    said = f"the bridge's service account gets {association}"
    return fail(subject, said, f"give its association {role}: aws eks update-pod-identity-association")


def _service_role(there: bool | Unknown) -> Finding:
    subject = "role AWSServiceRoleForECS"
    if isinstance(there, Unknown):
        return unexamined(subject, there)
    if there:
        return fine(subject, "there")
    return fail(subject, "is not there: an account's first task needs it", _INIT)
