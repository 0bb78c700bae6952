import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.local.controlplane import (
    ControlPlane,
    ControlPlaneAssets,
    ControlPlaneError,
    find_assets,
    missing_assets,
)
from app.local.controlplane_flags import Ports, apiserver
from app.local.http_client import HttpClient, loopback_tls
from app.local.scheduler_configuration import scheduler_configuration
from app.tls.authority import Authority
from app.wiring.clock import SystemClock
from tests.fakes import VirtualClock

NAMES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


def programs(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\necho no luck today >&2\nexit 3\n")
        (folder / name).chmod(0o755)
    return folder


def environment(assets: Path, path: Path) -> dict[str, str]:
    return {"KUBEBUILDER_ASSETS": str(assets), "PATH": str(path)}


def test_assets_are_found_where_the_variable_says(tmp_path: Path) -> None:
    folder = programs(tmp_path / "bin", *NAMES, "etcd")
    found = find_assets(environment(folder, tmp_path))
    assert found == ControlPlaneAssets(
        apiserver=folder / "kube-apiserver",
        controller_manager=folder / "kube-controller-manager",
        scheduler=folder / "kube-scheduler",
        etcd=folder / "etcd",
    )


def test_etcd_may_be_on_the_path(tmp_path: Path) -> None:
    folder, path = programs(tmp_path / "bin", *NAMES), programs(tmp_path / "path", "etcd")
    found = find_assets(environment(folder, path))
    assert found is not None
    assert found.etcd == path / "etcd"


@pytest.mark.parametrize("absent", [pytest.param(name, id=name) for name in (*NAMES, "etcd")])
def test_one_missing_program_is_named_and_nothing_is_found(tmp_path: Path, absent: str) -> None:
    folder = programs(tmp_path / "bin", *({*NAMES, "etcd"} - {absent}))
    told = missing_assets(environment(folder, tmp_path))
    assert find_assets(environment(folder, tmp_path)) is None
    assert len(told) == 1
    assert told[0].startswith(f"{absent} in {folder}")


def test_a_file_that_cannot_be_run_is_no_program(tmp_path: Path) -> None:
    folder = programs(tmp_path / "bin", *NAMES, "etcd")
    (folder / "kube-scheduler").chmod(0o644)
    assert find_assets(environment(folder, tmp_path)) is None


def test_ports_are_all_different() -> None:
    ports = Ports.free()
    numbers = {ports.apiserver, ports.etcd, ports.etcd_peer, ports.controller_manager, ports.scheduler}
    assert len(numbers) == 5


def test_the_api_server_verifies_kubelets_and_listens_on_loopback_only() -> None:
    flags = apiserver(Path("kube-apiserver"), Ports.free())
    assert {
        "--bind-address=127.0.0.1",
        "--kubelet-certificate-authority=ca.crt",
        "--kubelet-preferred-address-types=InternalIP",
    } <= set(flags)


async def test_a_program_that_ends_at_once_is_told_with_its_log(tmp_path: Path) -> None:
    folder = programs(tmp_path / "bin", *NAMES, "etcd")
    assets = find_assets(environment(folder, tmp_path))
    assert assets is not None
    clock = SystemClock()
    plane = ControlPlane(
        assets,
        directory=tmp_path / "plane",
        clock=clock,
        authority=Authority.create("spillway-test", now=clock.now()),
    )
    with pytest.raises(ControlPlaneError, match=r"ended with exit code 3(.|\n)*no luck today"):
        await plane.start()
    await plane.stop()


def test_a_kubeconfig_holds_a_token_and_the_authority(tmp_path: Path) -> None:
    clock = VirtualClock()
    missing = Path("nowhere")
    plane = ControlPlane(
        ControlPlaneAssets(apiserver=missing, controller_manager=missing, scheduler=missing, etcd=missing),
        directory=tmp_path,
        clock=clock,
        authority=Authority.create("spillway-test", now=clock.now()),
    )
    config = plane.kubeconfig()
    assert config["clusters"][0]["cluster"]["server"] == plane.url
    assert len(config["users"][0]["user"]["token"]) == 32


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[ControlPlane, Authority]]:
    assets = find_assets(os.environ)
    if assets is None:
        pytest.skip(f"no real control plane: {', '.join(missing_assets(os.environ))} not found")
    clock = SystemClock()
    authority = Authority.create("spillway-test", now=clock.now())
    made = ControlPlane(assets, directory=tmp_path_factory.mktemp("plane"), clock=clock, authority=authority)
    try:
        await made.start()
        yield made, authority
    finally:
        await made.stop()


def client_of(plane: ControlPlane, authority: Authority) -> HttpClient:
    token = plane.kubeconfig()["users"][0]["user"]["token"]
    return HttpClient(plane.url, tls=loopback_tls(authority.cert_pem), token=token)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_real_control_plane_says_its_version(plane: tuple[ControlPlane, Authority]) -> None:
    assert plane[0].version.startswith("v1.")


@pytest.mark.asyncio(loop_scope="module")
async def test_kubelets_find_the_authority_of_their_clients(
    plane: tuple[ControlPlane, Authority],
) -> None:
    client = client_of(*plane)
    path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
    answer = await client.request("GET", path)
    await client.close()
    data = json.loads(answer.body)["data"]
    assert data["client-ca-file"].strip() == plane[1].cert_pem.decode().strip()
    assert data["requestheader-allowed-names"] == '["front-proxy-client"]'


@pytest.mark.asyncio(loop_scope="module")
async def test_keys_are_for_their_owner_only(plane: tuple[ControlPlane, Authority]) -> None:
    _, key = plane[0].kubelet_client
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.asyncio(loop_scope="module")
async def test_the_scheduler_starts_later_and_its_death_is_told(
    plane: tuple[ControlPlane, Authority],
) -> None:
    config = scheduler_configuration(kubeconfig_path=str(plane[0].kubeconfig_path))
    await plane[0].start_scheduler(config)
    plane[0].check()
    await plane[0]._children[-1].kill()
    with pytest.raises(ControlPlaneError, match="kube-scheduler ended with exit code -9"):
        plane[0].check()
