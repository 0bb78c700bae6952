"""AWS's JSON 1.1 protocol: from a target and a body to a validated request, and from an answer to bytes.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import botocore.session
import msgspec
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from app.local.fargate.protocol.constraints import redacted, violations
from app.local.fargate.protocol.errors import AwsError

CONTENT_TYPE: Final = "application/x-amz-json-1.1"

Json = dict[str, Any]
"""A JSON object as AWS writes it: parameters, answers and their parts."""

_SERVICES: Final = ("ecs", "logs", "sqs", "secretsmanager", "ssm", "pricing", "service-quotas")
_WRONG: Final = {
    "ecs": "ClientException",
    "secretsmanager": "ValidationException",
    "ssm": "ValidationException",
}
"""The error of a request that does not satisfy the service model, where it is not the usual one."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose parameters satisfy the service model."""

    operation: str
    params: Json


class Reader:
    """Reads requests by botocore's own service models."""

    def __init__(self) -> None:
        self._models = {model.metadata["targetPrefix"]: model for model in _models()}
        self._validator = ParamValidator()

    def operation(self, target: str) -> str:
        """The operation that `X-Amz-Target` names.

        Raises:
            AwsError: the models know no such operation.
        """
        prefix, _, name = target.rpartition(".")
        model = self._models.get(prefix)
        if model is None or name not in model.operation_names:
            raise AwsError("UnknownOperationException", f"There is no operation {target!r}.")
        return name

    def request(self, target: str, body: bytes) -> Request:
        """The request, complete and of the right types.

        Raises:
            AwsError: SerializationException for a body that is no JSON object; else the service's word for
                wrong parameters, with every violation.
        """
        name = self.operation(target)
        model = self._models[target.rpartition(".")[0]]
        params = _object(body)
        shape = model.operation_model(name).input_shape
        code = _WRONG.get(model.service_name, "InvalidParameterException")
        if shape is None:
            return Request(operation=name, params=params)
        report = self._validator.validate(params, shape)
        if report.has_errors():
            raise AwsError(code, redacted(report.generate_report(), params, shape))
        _require_none([redacted(each, params, shape) for each in violations(params, shape)], code=code)
        return Request(operation=name, params=params)


@cache
def _models() -> tuple[ServiceModel, ...]:
    session = botocore.session.get_session()
    return tuple(session.get_service_model(name) for name in _SERVICES)


def _object(body: bytes) -> Json:
    try:
        return msgspec.json.decode(body or b"{}", type=Json)
    except (msgspec.MsgspecError, UnicodeDecodeError) as cause:
        raise AwsError("SerializationException", f"The body is not a JSON object: {cause}") from cause


def _require_none(found: Iterable[str], *, code: str) -> None:
    problems = list(found)
    if problems:
        noun = "validation error" if len(problems) == 1 else "validation errors"
        raise AwsError(code, f"{len(problems)} {noun} detected: {'; '.join(problems)}")


def error_body(error: AwsError) -> bytes:
    """The body of an answer that is an error."""
    return msgspec.json.encode({"__type": error.code, "message": error.message, **error.fields})
