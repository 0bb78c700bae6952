"""Log lines that an operator can search: JSON, with time, level, origin and what was bound."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from structlog.testing import capture_logs

from app.telemetry import logs


@pytest.fixture
def configure() -> Iterator[Callable[[], None]]:
    """JSON at level info, to the standard error of the moment; the root logger is put back afterwards."""
    root = logging.getLogger()
    level = root.level
    yield lambda: logs.configure(level="info", as_json=True)
    root.handlers[:] = [each for each in root.handlers if not isinstance(each, logs.OurHandler)]
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What was written to standard error, decoded."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_says_who_speaks_and_what_was_bound(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    logs.get("app.some.module").bind(pod="shop/web-1").info("task launched", attempt=2)
    [line] = lines(capsys)
    assert (line["event"], line["logger"], line["level"]) == ("task launched", "app.some.module", "info")
    assert (line["pod"], line["attempt"]) == ("shop/web-1", 2)
    assert str(line["timestamp"]).endswith("Z")


def test_a_line_below_the_level_is_not_written(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    logs.get("app.some.module").debug("nothing")
    assert lines(capsys) == []


def test_libraries_lines_have_the_same_form(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    logging.getLogger("somebody.else").warning("careful: %s", "hot")
    [line] = lines(capsys)
    assert (line["event"], line["logger"]) == ("careful: hot", "somebody.else")


def test_a_traceback_is_part_of_its_line(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    logs.get("app.some.module").error("failed", exc_info=ValueError("broken"))
    [line] = lines(capsys)
    assert "ValueError: broken" in str(line["exception"])


def test_chatty_libraries_are_quiet_below_warning(
    configure: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    logging.getLogger("botocore.hooks").info("noise")
    assert lines(capsys) == []


def test_configuring_again_replaces_our_handler_and_keeps_those_of_others(
    configure: Callable[[], None],
) -> None:
    configure()
    root = logging.getLogger()
    others = [each for each in root.handlers if not isinstance(each, logs.OurHandler)]
    configure()
    assert [each for each in root.handlers if not isinstance(each, logs.OurHandler)] == others
    assert len(root.handlers) == len(others) + 1


def test_whoever_has_logged_before_goes_by_a_later_configuration(configure: Callable[[], None]) -> None:
    log = logs.get("early")
    configure()
    log.info("under the first")
    structlog.reset_defaults()
    with capture_logs() as captured:
        log.info("under the second")
    assert [line["event"] for line in captured] == ["under the second"]
