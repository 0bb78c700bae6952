"""Whether each program may do its work, as the API server itself judges it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from app.doctor.finding import Finding, fail, ok, skip, unread
from app.doctor.rights import Program, Question, user_of
from app.doctor.seen import Seen, Unread

RBAC: Final = "rbac"
_SHOWN: Final = 4
_PROGRAMS: Final[tuple[Program, ...]] = ("extender", "bridge", "issuer")


def check(seen: Seen) -> Iterator[Finding]:
    """One line per program."""
    if isinstance(seen.answers, Unread):
        yield unread(RBAC, "what the programs may do", seen.answers)
        return
    if isinstance(seen.workloads, Unread):
        yield unread(RBAC, f"which accounts the programs in {seen.namespace} have", seen.workloads)
        return
    if not seen.setup.accounts:
        yield skip(
            RBAC,
            f"no program of ours was found in {seen.namespace}, so nobody's rights were asked for",
            "spillway doctor --namespace NAMESPACE, where they run in another one",
        )
        return
    yield from _not_asked(seen)
    asked: dict[Program, list[Question]] = defaultdict(list)
    refused: dict[Program, list[Question]] = defaultdict(list)
    for (program, question), allowed in seen.answers.items():
        asked[program].append(question)
        if not allowed:
            refused[program].append(question)
    for program in (each for each in _PROGRAMS if each in asked):
        yield _of(program, asked[program], refused[program], seen)


def _not_asked(seen: Seen) -> Iterator[Finding]:
    """Rights on single nodes and in single namespaces are asked for by their names."""
    for what, found in {"on which nodes": seen.nodes, "in which namespaces": seen.namespaces}.items():
        if isinstance(found, Unread):
            yield unread(RBAC, f"{what} the programs need rights", found)


def _of(program: Program, asked: list[Question], refused: list[Question], seen: Seen) -> Finding:
    user = user_of(seen.namespace, seen.setup.accounts[program])
    if not refused:
        return ok(RBAC, f"{user} has the {len(asked)} rights that the {program} needs")
    told = "; ".join(map(str, refused[:_SHOWN]))
    more = f"; and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
    first = refused[0]
    resource, _, subresource = first.resource.partition("/")
    qualified = f"{resource}.{first.group}" if first.group else resource
    parts = [f"kubectl auth can-i {first.verb} {qualified}{f'/{first.name}' if first.name else ''}"]
    parts += [f"--subresource={subresource}"] if subresource else []
    parts += [f"-n {first.namespace}"] if first.namespace else ["-A"]
    parts += [f"--as={user}"]
    return fail(
        RBAC, f"{user} may not: {told}{more}", f"{_upgrade(program, refused, seen)}; then {' '.join(parts)}"
    )


def _upgrade(program: Program, refused: list[Question], seen: Seen) -> str:
    """What brings the rights: where only those of some namespaces are missing, the list leaves these out."""
    where = {each.namespace for each in refused}
    if where <= {*seen.setup.overflow} - {"", seen.namespace}:
        names = ", ".join(sorted(where))
        return f"helm upgrade with rbac.overflowNamespaces that name {names}, too, or none, which means all"
    return f"helm upgrade with rbac.create=true, which brings the {program}'s roles"
