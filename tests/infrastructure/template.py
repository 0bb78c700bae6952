"""Reads a CloudFormation template, and writes its functions out for some parameters."""

from pathlib import Path
from typing import Any

import msgspec
import yaml

from tests.aws.account.moto_server import ACCOUNT, REGION

_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::NoValue": "",
}
_ASKS = {"HasKmsKey": "KmsKey", "HasBoundary": "PermissionsBoundary", "HasEksCluster": "EksCluster"}
"""Conditions that ask whether a parameter is given."""


class _Function(msgspec.Struct, frozen=True):
    name: str
    argument: Any


class _Loader(yaml.SafeLoader):
    """Keeps functions as they are."""


def _function(loader: _Loader, name: str, node: yaml.Node) -> _Function:
    match node:
        case yaml.ScalarNode():
            return _Function(name, loader.construct_scalar(node))
        case yaml.SequenceNode():
            return _Function(name, loader.construct_sequence(node, deep=True))
        case _:
            raise NotImplementedError(node)


_Loader.add_multi_constructor("!", _function)


def read(path: Path, parameters: dict[str, str]) -> dict[str, Any]:
    """The template; functions that need what is only known when it is applied are left out."""
    loaded = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506  (it is a safe loader)
    written: dict[str, Any] = _written(loaded, {**_PSEUDO, **parameters})
    return written


def _written(value: Any, known: dict[str, str]) -> Any:  # noqa: PLR0911  (one for each kind of value)
    match value:
        case dict():
            return {key: _written(each, known) for key, each in value.items()}
        case list():
            return [_written(each, known) for each in value]
        case _Function(name="Ref", argument=name):
            return known.get(name, "")
        case _Function(name="Sub", argument=str() as text):
            for name, each in known.items():
                text = text.replace("${" + name + "}", each)
            return text
        case _Function(name="If", argument=[condition, yes, no]):
            return _written(yes if known.get(_ASKS.get(condition, "")) else no, known)
        case _Function():
            return None
        case _:
            return value
