"""The Dockerfile's steps carried out once: what they make, and that it runs as the image is run."""

import importlib.metadata
import json
import os
import socket
import ssl
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from tests.image.conftest import UID, Built

pytestmark = pytest.mark.timeout(300)

_UNCHECKED = (1).to_bytes(4, "little")
"""PEP 552: the flags of bytecode that is taken without a look at its source."""


def _names(site: Path) -> set[str]:
    return {
        each.name.lower().replace("_", "-") for each in importlib.metadata.distributions(path=[str(site)])
    }


def test_the_command_says_its_version(built: Built) -> None:
    ended = built.run("spillway", "--version")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "spillway 0.1.0\n", "")


def test_the_image_has_every_command(built: Built) -> None:
    shown = built.run("spillway", "--help").stdout
    commands = ("webhook", "extender", "bridge", "issuer", "drain", "doctor", "aws", "explain", "status")
    assert [command for command in commands if f" {command} " not in shown] == []


def test_it_runs_as_a_user_without_a_name_who_cannot_write(built: Built) -> None:
    told = "import os, sys; print(os.getuid(), os.access(sys.prefix, os.W_OK))"
    mine = UID if os.geteuid() == 0 else os.geteuid()
    assert built.run("python", "-c", told).stdout == f"{mine} False\n"


@pytest.fixture
def served(built: Built, tmp_path: Path) -> Iterator[tuple[str, ssl.SSLContext]]:
    """The webhook, as the image runs it on a root without a folder to write to; and how to trust it."""
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "tls.pem")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    files = (f"--tls-cert={tmp_path}/tls.pem", f"--tls-key={tmp_path}/tls.pem")
    program = built.start("spillway", "webhook", "--host=127.0.0.1", f"--port={port}", *files)
    try:
        yield f"https://127.0.0.1:{port}", trust
    finally:
        program.terminate()
        assert program.wait(30) == 0


def _answer(url: str, trust: ssl.SSLContext) -> int:
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.get(url, verify=trust).status_code
        except httpx.TransportError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.2)


def test_a_program_serves_where_nothing_can_be_written(served: tuple[str, ssl.SSLContext]) -> None:
    url, trust = served
    assert _answer(f"{url}/healthz", trust) == 200


def test_it_imports_nothing_but_what_the_image_has(built: Built) -> None:
    told = "import app, boto3, json, sys; print(json.dumps([app.__path__[0], boto3.__path__[0], *sys.path]))"
    found = json.loads(built.run("python", "-c", told).stdout)
    assert found[:2] == [str(built.site / "app"), str(built.site / "boto3")]
    assert [path for path in found[2:] if "site-packages" in path] == [str(built.site)]


def test_only_what_spillway_needs_is_installed(built: Built) -> None:
    bill = json.loads((built.folder / "opt/spillway/sbom.cdx.json").read_text())
    assert _names(built.site) == {
        each["name"] for each in bill["components"] if each.get("purl", "").startswith("pkg:pypi/")
    }
    assert not _names(built.site) & {"pip", "setuptools", "hatchling", "editables", "pytest", "moto"}


def test_every_module_is_compiled_and_none_is_compiled_again(built: Built) -> None:
    compiled = list(built.site.rglob("*.pyc"))
    assert len(compiled) == len(list(built.site.rglob("*.py")))
    assert {file.read_bytes()[4:8] for file in compiled} == {_UNCHECKED}


def test_the_helper_is_a_static_program_that_everybody_may_run(built: Built) -> None:
    helper = built.folder / "spillway-helper"
    assert helper.read_bytes()[:4] == b"\x7fELF"
    assert b"/lib/ld-" not in helper.read_bytes()
    assert stat.S_IMODE(helper.stat().st_mode) == 0o555


def test_the_bill_names_the_wheels_that_were_installed(built: Built) -> None:
    bill = json.loads((built.folder / "opt/spillway/sbom.cdx.json").read_text())
    assert [each["name"] for each in bill["components"] if "hashes" not in each] == ["musl"]
