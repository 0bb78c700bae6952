"""Asking a gatherer, and what is expected of its answer."""

from typing import Any

from app.bridge.translation.material import Material, Needs, Unready
from tests.bridge.material.fakes import Outskirts
from tests.builders import a_pod

NOTHING = Needs()


async def gathered(outskirts: Outskirts, needs: Needs = NOTHING, **pod: Any) -> Material:
    found = await outskirts.gatherer.gather(a_pod(**pod), needs, namespace={"team": "a"})
    assert isinstance(found, Material), found
    return found


async def unready(outskirts: Outskirts, needs: Needs, **pod: Any) -> Unready:
    found = await outskirts.gatherer.gather(a_pod(**pod), needs, namespace={})
    assert isinstance(found, Unready), found
    return found
