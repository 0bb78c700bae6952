"""How `spillway aws` writes plans: one line for each resource, in words and as JSON."""

from collections.abc import Callable
from typing import Final, assert_never

from rich.console import Console
from rich.text import Text

from app.aws.account.documents import canonical
from app.aws.account.plan import Absent, Change, Create, Delete, Keep, Refuse, Removal, Step
from app.aws.account.wanted import POLICY, TRUST, Key
from app.model.wire import Json

_WIDTH: Final = 10
_STYLES: Final = {"create": "green", "change": "yellow", "delete": "yellow", "refused": "red"}


def verb(step: Step | Removal) -> str:
    """What is done, in one word."""
    match step:
        case Create():
            return "create"
        case Change():
            return "change"
        case Keep():
            return "keep"
        case Delete():
            return "delete"
        case Absent():
            return "gone"
        case Refuse():
            return "refused"
        case _:
            assert_never(step)


def key_of(step: Step | Removal) -> Key:
    """What it is done to."""
    match step:
        case Create(resource) | Change(resource, _, _):
            return resource.key
        case Keep(found) | Delete(found) | Refuse(found, _):
            return found.key
        case Absent(key):
            return key
        case _:
            assert_never(step)


def detail(step: Step | Removal) -> str:
    """What is to be said of it besides."""
    match step:
        case Create(resource):
            shown = (f"{name}: {_short(name, value)}" for name, value in resource.aspects.items() if value)
            return "; ".join(shown)
        case Change(resource, found, aspects):
            return "; ".join(
                _change(each, found.aspects.get(each), resource.aspects[each]) for each in aspects
            )
        case Refuse(_, reason):
            return reason
        case Keep() | Delete() | Absent():
            return ""
        case _:
            assert_never(step)


def as_json(step: Step | Removal) -> Json:
    """A step for programs."""
    key = key_of(step)
    told = {"action": verb(step), "kind": key.kind.value, "name": key.name}
    match step:
        case Create(resource):
            return {**told, "wanted": dict(resource.aspects)}
        case Change(resource, found, aspects):
            changes = {
                each: {"from": found.aspects.get(each), "to": resource.aspects[each]} for each in aspects
            }
            return {**told, "changes": changes}
        case Refuse(_, reason):
            return {**told, "reason": reason}
        case _:
            return told


def waiting(console: Console) -> Callable[[str, float], None]:
    """Says why nothing happens for some seconds."""

    def say(why: str, pause: float) -> None:
        console.print(Text(f"{'waiting':<{_WIDTH}}{why} (tried again in {pause:g} s)", style="dim"))

    return say


def show(step: Step | Removal, console: Console) -> None:
    """One line."""
    word, said = verb(step), detail(step)
    line = Text(f"{word:<{_WIDTH}}", style=_STYLES.get(word, "dim"))
    line.append(str(key_of(step)), style="none")
    if said:
        line.append(f" ({said})", style="none")
    console.print(line)


def _change(name: str, before: Json, after: Json) -> str:
    if name in {TRUST, POLICY}:
        return f"{name} ({_statements(before, after)})"
    return f"{name} from {_short(name, before)} to {_short(name, after)}"


def _statements(before: Json, after: Json) -> str:
    """Which statements of a policy differ, by their Sids."""
    if before is None:
        return "there is none"
    was, will = canonical(before), canonical(after)
    differ = [each.get("Sid", "its statement") for each in will if each not in was]
    extra = [each.get("Sid", "a statement without a Sid") for each in was if each not in will]
    gone = [each for each in extra if each not in differ]
    told = [f"{each} is not as it should be" for each in differ] + [
        f"{each} should not be there" for each in gone
    ]
    return ", ".join(told)


def _short(name: str, value: Json) -> str:
    if value in (None, "", []):
        return "nothing"
    if name in {TRUST, POLICY}:
        return ", ".join(map(_statement, value["Statement"]))
    if isinstance(value, dict):
        return ", ".join(f"{key}={_short(key, each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(_short(name, each) for each in value)
    return str(value)


def _statement(statement: Json) -> str:
    """A statement by its Sid; one of trust by who is trusted."""
    if "Sid" in statement:
        return str(statement["Sid"])
    principals = statement.get("Principal") or {}
    return ", ".join(str(each) for each in principals.values()) if isinstance(principals, dict) else "anybody"
