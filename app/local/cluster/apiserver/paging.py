"""Large lists in pages: `limit` and `continue`.

https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
"""

import base64
import binascii

import msgspec

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.objects import Object


def page_of(objects: list[Object], *, limit: int, token: str, version: int) -> tuple[list[Object], Object]:
    """One page of a list, and the list's metadata.

    Later pages show the present, under the first page's version.

    Raises:
        ApiError: 400 for a token that is none of ours.
    """
    if token:
        version, start = _continuation(token)
        objects = [obj for obj in objects if _place(obj) > start]
    metadata: Object = {"resourceVersion": str(version)}
    if 0 < limit < len(objects):
        page = objects[:limit]
        state = msgspec.json.encode({"v": "meta.k8s.io/v1", "rv": version, "start": _place(page[-1])})
        metadata["continue"] = base64.urlsafe_b64encode(state).decode().rstrip("=")
        metadata["remainingItemCount"] = len(objects) - limit
        return page, metadata
    return objects, metadata


def _continuation(token: str) -> tuple[int, list[str]]:
    try:
        state = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(state["rv"]), list(state["start"])
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as why:
        raise errors.bad_request(f"invalid continue token: continue key is not valid: {why}") from why


def _place(obj: Object) -> list[str]:
    return [obj["metadata"].get("namespace", ""), obj["metadata"]["name"]]
