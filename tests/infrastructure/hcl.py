"""Reads the Terraform module, and writes out what it says for some variables.

Of Terraform's language it knows what the module uses: interpolation, `jsonencode`, `for_each` by conditions.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hcl2
import yaml

MODULE = Path(__file__).parents[2] / "infrastructure" / "terraform"

Block = dict[str, Any]

_PLACE = re.compile(r"\$\{([^}]+)\}")
_CONDITION = re.compile(r"(?:var\.(\w+) == \"([\w-]*)\"|length\(var\.(\w+)\) == 0) \? (.+) : (.+)")


class Module:
    """The module with its variables given a value."""

    def __init__(self, variables: Mapping[str, Any], known: Mapping[str, str]) -> None:
        """`known` is what Terraform alone can work out, by the expression for it."""
        self._blocks: Block = {}
        for path in sorted(MODULE.glob("*.tf")):
            for kind, each in hcl2.loads(path.read_text()).items():
                self._blocks.setdefault(kind, []).extend(each)
        self._variables = variables
        self._known: dict[str, Any] = {f"var.{name}": value for name, value in variables.items()} | dict(
            known
        )
        local = {name: value for block in self._blocks["locals"] for name, value in block.items()}
        self._locals = {name: value for name, value in local.items() if name != "__is_block__"}

    def defaults(self) -> dict[str, Any]:
        """The variables' defaults."""
        declared = ((_bare(name), each) for block in self._blocks["variable"] for name, each in block.items())
        return {name: self.value(each["default"]) for name, each in declared}

    def resources(self, kind: str) -> list[Block]:
        """The resources of a type that there are, written out."""
        return [self._block(each) for _, each in self._named("resource", kind) if self._is_there(each)]

    def types(self) -> set[str]:
        """The types of all resources."""
        return {_bare(kind) for block in self._blocks["resource"] for kind in block}

    def local(self, name: str) -> Any:
        """A local value, written out."""
        return self.value(self._locals[name])

    def document(self, name: str) -> dict[str, Any]:
        """What `data.aws_iam_policy_document.NAME` says."""
        return {"Statement": [_statement(each) for each in self._repeated(self.data(name), "statement")]}

    def data(self, name: str) -> Block:
        """`data.aws_iam_policy_document.NAME` as it is written."""
        [document] = [each for own, each in self._named("data", "aws_iam_policy_document") if own == name]
        return document

    def value(self, value: Any) -> Any:
        """A value, written out."""
        match value:
            case str() if value.startswith('"') and value.endswith('"'):
                return _PLACE.sub(lambda found: str(self._expression(found.group(1))), value[1:-1])
            case str() if value.startswith("${") and value.endswith("}"):
                return self._expression(value[2:-1])
            case list():
                return [self.value(each) for each in value]
            case dict():
                return self._block(value)
            case _:
                return value

    def _named(self, block: str, kind: str) -> Iterator[tuple[str, Block]]:
        for each in self._blocks[block]:
            for own, named in each.items():
                if _bare(own) == kind:
                    yield from ((_bare(name), body) for name, body in named.items())

    def _is_there(self, block: Block) -> bool:
        repeated = block.get("for_each") or block.get("count")
        return repeated is None or self.value(repeated) not in ([], 0, "0")

    def _repeated(self, block: Block, name: str) -> Iterator[Block]:
        """Blocks of a name, those of `dynamic` among them where their condition holds."""
        for each in block.get(name, ()):
            yield self._block(each)
        for dynamic in block.get("dynamic", ()):
            for own, body in dynamic.items():
                if _bare(own) == name and self._is_there(body):
                    yield from (self._block(each) for each in body["content"])

    def _block(self, block: Block) -> Block:
        plain = {_bare(key): value for key, value in block.items() if key not in {"__is_block__", "dynamic"}}
        written = {key: self.value(value) for key, value in plain.items()}
        for dynamic in block.get("dynamic", ()):
            for own in dynamic:
                written[_bare(own)] = list(self._repeated({"dynamic": [dynamic]}, _bare(own)))
        return written

    def _expression(self, text: str) -> Any:
        if text in self._known:
            return self._known[text]
        if text.startswith("local.") and text.removeprefix("local.") in self._locals:
            return self.value(self._locals[text.removeprefix("local.")])
        if text.startswith("["):
            return self._looked_up(yaml.safe_load(text))
        if text.startswith("jsonencode("):
            return self._encoded(text.removeprefix("jsonencode(").removesuffix(")"))
        found = _CONDITION.fullmatch(text)
        if found:
            return self._chosen(*found.groups())
        return text

    def _chosen(self, name: str | None, literal: str, listed: str | None, yes: str, no: str) -> Any:
        holds = not self._variables[listed] if listed else self._variables[str(name)] == literal
        return self._expression(yes if holds else no)

    def _encoded(self, text: str) -> Any:
        """An object of HCL: YAML's flow style but for its equals signs."""
        return self._looked_up(yaml.safe_load(text.replace(" = ", ": ")))

    def _looked_up(self, value: Any) -> Any:
        match value:
            case dict():
                return {key: self._looked_up(each) for key, each in value.items()}
            case list():
                return [self._looked_up(each) for each in value]
            case str() if "${" in value:
                return self.value(f'"{value}"')
            case str():
                return self._expression(value)
            case _:
                return value


def _bare(text: str) -> str:
    return text.strip('"')


def _statement(block: Block) -> dict[str, Any]:
    principals = {each["type"]: each["identifiers"] for each in block.get("principals", ())}
    conditions: dict[str, dict[str, Any]] = {}
    for each in block.get("condition", ()):
        conditions.setdefault(each["test"], {})[each["variable"]] = each["values"]
    parts = {
        "Sid": block.get("sid", ""),
        "Effect": "Allow",
        "Principal": principals,
        "Action": block["actions"],
        "Resource": block.get("resources", []),
        "Condition": conditions,
    }
    return {name: value for name, value in parts.items() if value}
