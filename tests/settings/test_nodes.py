from pathlib import Path

import pytest

from app.settings import BridgeSettings, SettingsError, load, nodes_of

TWO = """
- name: fargate-a
  zone: eu-central-1a
  subnets: [subnet-a]
- name: fargate-arm
  zone: eu-central-1b
  subnets: subnet-b, subnet-c
  architecture: arm64
  capacity: spot-first
"""


@pytest.fixture
def common(tmp_path: Path) -> BridgeSettings:
    for name in ("tls.crt", "tls.key", "ca.crt"):
        (tmp_path / name).touch()
    flags = {
        "subnets": "subnet-x",
        "zone": "eu-central-1x",
        "kubelet_cert": tmp_path / "tls.crt",
        "kubelet_key": tmp_path / "tls.key",
        "kubelet_client_ca": tmp_path / "ca.crt",
    }
    return load(BridgeSettings, flags)


def with_file(common: BridgeSettings, path: Path, text: str) -> BridgeSettings:
    (path / "nodes.yaml").write_text(text)
    return common.model_copy(update={"nodes_file": path / "nodes.yaml"})


def test_without_a_file_the_flags_describe_the_one_node(common: BridgeSettings) -> None:
    assert nodes_of(common) == (common,)


def test_each_entry_is_a_node_that_differs_in_what_it_names(common: BridgeSettings, tmp_path: Path) -> None:
    first, second = nodes_of(with_file(common, tmp_path, TWO))
    assert (first.node_name, first.zone, first.subnets) == ("fargate-a", "eu-central-1a", ("subnet-a",))
    assert (first.architecture, first.capacity) == ("amd64", "on-demand")
    assert (second.subnets, second.architecture) == (("subnet-b", "subnet-c"), "arm64")
    assert second.capacity == "spot-first"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("[]", "at least one node", id="empty"),
        pytest.param("- name: a\n- name: a\n", "each once", id="twice"),
        pytest.param("- zone: a\n", "name: Field required", id="without-a-name"),
        pytest.param("- name: a\n  subnet: b\n", "subnet: Extra inputs", id="a-slip-of-the-pen"),
        pytest.param("- name: a\n  architecture: riscv\n", "architecture", id="no-such-architecture"),
        pytest.param("a: [", "nodes.yaml", id="no-yaml"),
    ],
)
def test_a_file_that_cannot_work_is_refused_with_its_fault(
    common: BridgeSettings, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        nodes_of(with_file(common, tmp_path, text))


def test_each_node_has_a_port_of_its_own(common: BridgeSettings, tmp_path: Path) -> None:
    entries = "- name: a\n- name: b\n  kubelet_port: 10350\n- name: c\n"
    nodes = nodes_of(with_file(common, tmp_path, entries))
    assert [each.kubelet_port for each in nodes] == [10250, 10350, 10252]


def test_any_free_port_is_any_for_each_node(common: BridgeSettings, tmp_path: Path) -> None:
    anywhere = common.model_copy(update={"kubelet_port": 0})
    nodes = nodes_of(with_file(anywhere, tmp_path, "- name: a\n- name: b\n"))
    assert [each.kubelet_port for each in nodes] == [0, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("- name: a\n- name: b\n  kubelet_port: 10250\n", "10250, 10250", id="the-flags"),
        pytest.param("- name: a\n  kubelet_port: 7\n- name: b\n  kubelet_port: 7\n", "7, 7", id="twice"),
        pytest.param("- name: a\n  kubelet_port: 70000\n", "kubelet_port", id="no-port"),
    ],
)
def test_ports_that_cannot_work_are_refused(
    common: BridgeSettings, tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        nodes_of(with_file(common, tmp_path, text))


def test_a_port_that_counts_up_beyond_the_last_is_refused(common: BridgeSettings, tmp_path: Path) -> None:
    last = common.model_copy(update={"kubelet_port": 65_535})
    with pytest.raises(SettingsError, match="above 65535"):
        nodes_of(with_file(last, tmp_path, "- name: a\n- name: b\n"))
