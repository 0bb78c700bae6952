"""Systems Manager's Parameter Store, as far as a task's secrets read it.

https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-parameter-store.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from app.local.fargate.config import FargateConfig
from app.local.fargate.protocol.errors import AwsError
from app.local.fargate.protocol.wire import Json
from app.ports.clock import Clock

_MOST_BYTES: Final = {"Standard": 4096, "Intelligent-Tiering": 8192, "Advanced": 8192}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter, which never shows its value; `changed` in epoch seconds."""

    name: str
    kind: str
    value: str = field(repr=False)
    version: int
    changed: float


@dataclass(kw_only=True)
class ParametersApi:
    """The parameters of one account and region, and the operations on them."""

    config: FargateConfig
    clock: Clock
    _parameters: dict[str, Parameter] = field(default_factory=dict)

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that this part answers."""
        return {"PutParameter": self.put, "GetParameters": self.get, "DeleteParameter": self.delete}

    def put(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html."""
        name, tier = params["Name"], params.get("Tier", "Standard")
        before = self._parameters.get(name)
        if before is not None and not params.get("Overwrite", False):
            raise AwsError(
                "ParameterAlreadyExists",
                "The parameter already exists. To overwrite this value, set the overwrite option in the "
                "request to true.",
            )
        if len(params["Value"].encode()) > _MOST_BYTES[tier]:
            raise AwsError(
                "ValidationException",
                f"{tier} tier parameters support a maximum parameter value of {_MOST_BYTES[tier]} characters",
            )
        version = before.version + 1 if before is not None else 1
        self._parameters[name] = Parameter(
            name=name,
            kind=params.get("Type", before.kind if before is not None else "String"),
            value=params["Value"],
            version=version,
            changed=round(self.clock.now().timestamp(), 3),
        )
        return {"Version": version, "Tier": tier}

    def get(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html."""
        found = {name: self.find(name) for name in params["Names"]}
        return {
            "Parameters": [self._view(each) for each in found.values() if each is not None],
            "InvalidParameters": [name for name, each in found.items() if each is None],
        }

    def delete(self, params: Json) -> Json:
        """https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameter.html."""
        if self._parameters.pop(params["Name"], None) is None:
            raise AwsError("ParameterNotFound", "The parameter does not exist.")
        return {}

    def find(self, name: str) -> Parameter | None:
        """The parameter of a name or an ARN."""
        prefix = self.config.arn("parameter", service="ssm")
        if not name.startswith("arn:"):
            return self._parameters.get(name)
        if not name.startswith(prefix):
            return None
        path = name.removeprefix(prefix)
        return self._parameters.get(path) or self._parameters.get(path.removeprefix("/"))

    def _view(self, parameter: Parameter) -> Json:
        return {
            "Name": parameter.name,
            "Type": parameter.kind,
            "Value": parameter.value,
            "Version": parameter.version,
            "LastModifiedDate": parameter.changed,
            "ARN": self.config.arn(f"parameter/{parameter.name.removeprefix('/')}", service="ssm"),
            "DataType": "text",
        }
