import httpx
import pytest

from tests.builders import a_node
from tests.extender.fakes import Extender


@pytest.mark.parametrize("verb", ["filter", "prioritize", "preempt"])
async def test_only_a_post_is_answered(verb: str) -> None:
    response = await Extender([a_node("a")]).get(f"/{verb}")
    assert response.status_code == 405
    assert (response.headers["allow"], list(response.json())) == ("POST", ["error"])


@pytest.mark.parametrize("path", ["/filter/", "/filters", "/x/filter"])
async def test_a_path_that_only_looks_like_a_verb_is_none(path: str) -> None:
    transport = httpx.ASGITransport(app=Extender([]).app)
    async with httpx.AsyncClient(transport=transport, base_url="http://extender") as client:
        assert (await client.post(path, content=b"{}")).status_code == 404
