"""A port that is taken, and a root logger that is left as it was."""

import logging
import socket
from collections.abc import Iterator

import pytest

from app.telemetry import logs


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """The commands send logs to a standard error that is gone after the test."""
    root = logging.getLogger()
    level = root.level
    yield
    root.handlers[:] = [each for each in root.handlers if not isinstance(each, logs.OurHandler)]
    root.setLevel(level)


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port of this machine that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
