"""The admission policy among the examples keeps tenants from spending, and from nothing else."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess, run
from time import monotonic, sleep

import pytest

from app.local.controlplane import find_assets, missing_assets
from tests.conformance.servers import ApiServer, real
from tests.docs.fences import ROOT

POLICY = ROOT / "examples" / "namespace-policy.yaml"
TENANT = ("--as=tenant", "--as-group=system:masters")
PLATFORM = ("--as=operator", "--as-group=system:masters", "--as-group=platform-team")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    assets = find_assets(os.environ)
    if assets is None or shutil.which("kubectl") is None:
        pytest.skip(f"no real API server and kubectl: {', '.join(missing_assets(os.environ))}")
    with real(assets, tmp_path_factory.mktemp("policy-real")) as server:
        assert kubectl(server.kubeconfig, "apply", "-f", str(POLICY)).returncode == 0
        assert is_in_force(server.kubeconfig)
        yield server


def kubectl(kubeconfig: Path, *arguments: str) -> CompletedProcess[str]:
    return run(
        ["kubectl", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
    )


def is_in_force(kubeconfig: Path) -> bool:
    """Whether the API server judges by the policy; it takes it up some seconds later."""
    ends = monotonic() + 60
    probe = ("annotate", "namespace", "default", "spillway.dev/max-pods=1", "--dry-run=server", *TENANT)
    while kubectl(kubeconfig, *probe).returncode == 0 and monotonic() < ends:
        sleep(0.5)
    return kubectl(kubeconfig, *probe).returncode != 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("label", "namespace", "default", "spillway.dev/overflow=enabled"), id="a label"),
        pytest.param(("annotate", "namespace", "default", "spillway.dev/max-pods=500"), id="an annotation"),
    ],
)
def test_a_tenant_cannot_let_a_namespace_spend(api: ApiServer, change: tuple[str, ...]) -> None:
    done = kubectl(api.kubeconfig, *change, *TENANT)
    assert "are the platform team's" in done.stderr


def test_a_tenant_may_change_what_is_its_own(api: ApiServer) -> None:
    done = kubectl(api.kubeconfig, "label", "namespace", "default", "team=shop", *TENANT)
    assert done.returncode == 0, done.stderr


def test_the_platform_team_may_and_a_tenant_cannot_take_it_away_but_may_change_the_rest(
    api: ApiServer,
) -> None:
    given = kubectl(
        api.kubeconfig, "annotate", "namespace", "kube-public", "spillway.dev/max-pods=5", *PLATFORM
    )
    taken = kubectl(api.kubeconfig, "annotate", "namespace", "kube-public", "spillway.dev/max-pods-", *TENANT)
    other = kubectl(api.kubeconfig, "annotate", "namespace", "kube-public", "team=shop", *TENANT)
    assert (given.returncode, taken.returncode, other.returncode) == (0, 1, 0), (given, taken, other)
