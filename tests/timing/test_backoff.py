import pytest

from app.timing.backoff import delay


@pytest.mark.parametrize(
    ("failures", "jitter", "seconds"),
    [
        pytest.param(0, 1.0, 0.0, id="no failure, no wait"),
        pytest.param(1, 1.0, 1.0, id="first"),
        pytest.param(1, 0.0, 0.5, id="first, no jitter"),
        pytest.param(3, 1.0, 4.0, id="doubles"),
        pytest.param(6, 1.0, 30.0, id="is capped"),
        pytest.param(6, 0.0, 15.0, id="never below half"),
        pytest.param(100_000, 1.0, 30.0, id="for ever"),
    ],
)
def test_waiting_doubles_up_to_a_cap(failures: int, jitter: float, seconds: float) -> None:
    assert delay(failures, first=1.0, longest=30.0, jitter=jitter) == seconds
