"""What the whole run says at its end: on which Kubernetes the system and conformance tests ran."""

import os

import pytest

from app.local.controlplane import missing_assets


def pytest_configure() -> None:
    """A control plane that is named and not there must not pass for one that was tested."""
    missing = missing_assets(os.environ)
    if missing and os.environ.get("KUBEBUILDER_ASSETS"):
        raise pytest.UsageError(f"KUBEBUILDER_ASSETS is set, but there is no {', no '.join(missing)}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the cluster, so that a green run on the embedded one alone is not taken for more."""
    missing = missing_assets(os.environ)
    if missing:
        where = f"the embedded cluster only (missing: {'; '.join(missing)}; set KUBEBUILDER_ASSETS)"
    else:
        where = "the embedded cluster and the real control plane that was found"
    terminalreporter.write_line(f"system and conformance tests run on {where}")
