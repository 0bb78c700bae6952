"""What holds for the whole run: its signals, and what it says at its end of the Kubernetes it ran on."""

import logging
import os
import signal
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from app.local.controlplane import missing_assets
from app.telemetry.logs import OurHandler

hypothesis_settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("untimed")
"""How long an example takes says what else the machine does; no test fails of it."""


def pytest_configure() -> None:
    """A control plane that is named and not there must not pass for one that was tested."""
    _take_signals()
    missing = missing_assets(os.environ)
    if missing and os.environ.get("KUBEBUILDER_ASSETS"):
        raise pytest.UsageError(f"KUBEBUILDER_ASSETS is set, but there is no {', no '.join(missing)}")


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """What one test configured must not swallow what the next one listens for."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        root = logging.getLogger()
        root.handlers[:] = [each for each in root.handlers if not isinstance(each, OurHandler)]


def _take_signals() -> None:
    """A run in the background (or under `nohup`) inherits these ignored, and so would all its programs.

    A shell cannot even trap a signal that it was started with ignored.
    https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_11
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _stay)


def _stay(number: int, frame: object) -> None:
    """Outlive the terminal, as `nohup` asks; unlike ignoring, a handler is not inherited by programs."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the cluster, so that a green run on the embedded one alone is not taken for more."""
    missing = missing_assets(os.environ)
    if missing:
        where = f"the embedded cluster only (missing: {'; '.join(missing)}; set KUBEBUILDER_ASSETS)"
    else:
        where = "the embedded cluster and the real control plane that was found"
    terminalreporter.write_line(f"system and conformance tests run on {where}")
