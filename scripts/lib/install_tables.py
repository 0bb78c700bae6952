"""The tables of rights in docs/install.md: what each program may in the cluster, and each role at AWS."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from app.aws.account import policies
from app.aws.account.names import Names
from app.aws.account.options import Options
from app.doctor.rights import BRIDGE, EXTENDER, ISSUER, Right
from app.model.wire import Json

PAGE: Final = "docs/install.md"
_ROOT: Final = Path(__file__).resolve().parents[2]
_ACCOUNT: Final = "123456789012"
_PLACES: Final = {
    "cluster": "everywhere",
    "own": "Spillway's namespace",
    "overflow": "namespaces that may overflow",
    "kube-system": "`kube-system`",
    "kube-node-lease": "`kube-node-lease`",
}
_WHEN: Final = {
    "always": "always",
    "toleration": "`actuator: toleration`",
    "return-home": "`returnHome`",
    "handover": "`handover`",
    "signer": "`kubeletCertSigner`",
    "approval": "`kubeletCertApprove`",
    "insight": "`spillway status` and `explain`, run in its pod",
}
_NAMES: Final = {
    "{node}": "the virtual nodes",
    "{priority-class}": "`placeholderPriorityClass`",
    "{signer}": "`kubeletCertSigner`",
    "{tls-secret}": "`spillway-tls`",
    "{ca-secret}": "`spillway-ca`",
    "{webhook}": "`spillway`",
}


def install_page() -> str:
    """docs/install.md with its tables as they have to be; what stands between them is written by hand."""
    text = (_ROOT / PAGE).read_text()
    tables = {
        **dict(zip(("extender", "bridge", "issuer"), rbac_tables(), strict=True)),
        **dict(zip(("bridge-role", "execution-role", "task-role"), iam_tables(), strict=True)),
    }
    for name, table in tables.items():
        text = _between(text, name, table)
    return text


def rbac_tables() -> tuple[str, ...]:
    """What extender, bridge and issuer may, as `app/doctor/rights.py` has it."""
    return tuple(_rbac(rights) for rights in (EXTENDER, BRIDGE, ISSUER))


def iam_tables() -> tuple[str, ...]:
    """What the roles of bridge, execution and tasks may, as `app/aws/account/policies.py` has it."""
    options = Options(
        names=Names(account=_ACCOUNT, region="REGION"),
        eks_cluster="EKS",
        kms_key="KMS-KEY",
        task_roles=("TASK-ROLE",),
        ebs_role="EBS-ROLE",
    )
    documents = (
        policies.bridge_policy(options),
        policies.execution_policy(options.names),
        policies.task_policy(options),
    )
    return tuple(_iam(each) for each in documents)


def _between(text: str, name: str, table: str) -> str:
    begin, end = f"<!-- rights of {name} -->", "<!-- end -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(row) for row in (header, ["---"] * len(header), *rows)]
    return "\n".join(f"| {line} |" for line in lines)


def _rbac(rights: Iterable[Right]) -> str:
    rows = [(_resource(each), ", ".join(each.verbs), _where(each), _WHEN[each.when]) for each in rights]
    return _table(("Resource", "Verbs", "Where", "With"), rows)


def _resource(right: Right) -> str:
    return f"`{right.resource}.{right.group}`" if right.group else f"`{right.resource}`"


def _where(right: Right) -> str:
    place = _PLACES[right.place]
    if not right.name:
        return place
    name = _NAMES.get(right.name, f"`{right.name}`")
    return name if right.place == "cluster" else f"{name} in {place}"


def _iam(document: Json) -> str:
    rows = [
        (
            each["Sid"],
            "<br>".join(f"`{action}`" for action in each["Action"]),
            "<br>".join(f"`{_short(resource)}`" for resource in each["Resource"]),
            _condition(each),
        )
        for each in document["Statement"]
    ]
    return _table(("Statement", "Actions", "On", "If"), rows)


def _short(arn: str) -> str:
    return arn.removeprefix("arn:aws:").replace(_ACCOUNT, "ACCOUNT")


def _condition(statement: Json) -> str:
    told = [
        f"`{key}` is {' or '.join(f'`{_short(value)}`' for value in values)}"
        for test in statement.get("Condition", {}).values()
        for key, values in test.items()
    ]
    return "<br>".join(told)
