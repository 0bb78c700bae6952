"""What the adapters need of a connection, so that tests can script an API server without a socket."""

from collections.abc import AsyncGenerator, Mapping
from typing import Final, Protocol

from app.model.wire import Json

JSON: Final = "application/json"
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"
APPLY_PATCH: Final = "application/apply-patch+yaml"
"""https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply (all JSON is YAML)."""

Query = Mapping[str, str | int | bool]


class Transport(Protocol):
    """Requests to one API server; all of them raise `app.ports.failures` only."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Json = None,
        content_type: str = JSON,
        timeout: float = 30.0,  # noqa: ASYNC109  (it is aiohttp's, for the whole exchange)
    ) -> bytes:
        """One request; the answer's body. `timeout` is in seconds."""
        ...

    def stream(self, path: str, *, query: Query | None = None) -> AsyncGenerator[bytes, None]:
        """A GET whose answer arrives line by line, without an end of its own; close it with `aclosing`."""
        ...
