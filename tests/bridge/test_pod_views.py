import msgspec
import pytest

from app.bridge.pod_views import PodViews, key_of
from app.model.pod import Pod
from tests.builders import a_pod
from tests.fakes import FakeWatched

POD = a_pod("web-1", uid="u1")
KEY = key_of(POD)


def at_version(version: str) -> Pod:
    return msgspec.structs.replace(
        POD, metadata=msgspec.structs.replace(POD.metadata, resource_version=version)
    )


@pytest.mark.parametrize(
    ("watched", "written", "newest"),
    [
        pytest.param("9", "10", "10", id="the-watch-lags-behind-our-write"),
        pytest.param("10", "10", "10", id="the-watch-caught-up"),
        pytest.param("11", "10", "11", id="somebody-wrote-after-us"),
    ],
)
def test_the_newest_version_is_seen(watched: str, written: str, newest: str) -> None:
    views = PodViews(FakeWatched([at_version(watched)]))
    views.wrote(KEY, at_version(written))
    assert views.get(KEY) == at_version(newest)


def test_a_pod_that_is_gone_is_gone_whatever_we_wrote() -> None:
    views = PodViews(FakeWatched[Pod]())
    views.wrote(KEY, at_version("10"))
    assert views.get(KEY) is None


def test_the_next_pod_of_the_name_is_not_this_one() -> None:
    views = PodViews(FakeWatched([a_pod("web-1", uid="u2")]))
    assert views.get(KEY) is None
