"""Errors in AWS's own words, raised anywhere below the API and written to the wire in one place."""

from collections.abc import Mapping, Sequence
from typing import Any, Final


class AwsError(Exception):
    """An answer that is an error.

    Attributes:
        code: the shape's name, as `ClientException`; the client finds its exception class by it.
        fields: further members of the shape, as ConflictException's `resourceIds`.
        query_code: the code in AWS's older query protocol, which SQS still sends along.
    """

    def __init__(
        self, code: str, message: str, *, fields: Mapping[str, Any] | None = None, query_code: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.query_code = query_code
        self.fields = dict(fields or {})

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the answer has besides the usual ones."""
        return {"x-amzn-query-error": f"{self.query_code};Sender"} if self.query_code else {}

    @property
    def status(self) -> int:
        """The HTTP status: botocore itself retries from 500 up."""
        return _STATUS.get(self.code, 400)


_STATUS: Final = {
    "ServerException": 500,
    "InternalFailure": 500,
    "ServiceUnavailableException": 503,
}


def client_error(message: str) -> AwsError:
    """ClientException: ECS's word for most wrong requests."""
    return AwsError("ClientException", message)


def invalid(message: str) -> AwsError:
    """InvalidParameterException."""
    return AwsError("InvalidParameterException", message)


def throttled() -> AwsError:
    """What every AWS API says above its limit."""
    return AwsError("ThrottlingException", "Rate exceeded")


def conflict(message: str, *, existing: Sequence[str]) -> AwsError:
    """ConflictException, with the ARNs of what is there instead."""
    return AwsError("ConflictException", message, fields={"resourceIds": list(existing)})
