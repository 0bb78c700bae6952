"""Objects and helpers that the API's tests share."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

T = TypeVar("T")


def pod(name: str = "web", **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "app:1"}]
    return {"metadata": {"name": name}, "spec": {"containers": containers, **spec}}


def config_map(name: str = "cm", data: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}, **({} if data is None else {"data": data})}


async def take(count: int, source: AsyncIterator[T]) -> list[T]:
    """The next `count` elements."""
    return [await anext(source) for _ in range(count)]
