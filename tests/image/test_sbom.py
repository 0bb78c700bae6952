"""The bill of materials: what stands in it, and what it refuses to tell."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.sbom.__main__ import main
from tests.image.rehearsal import ROOT

_SITE = Path(pytest.__file__).parents[1]
_LOCK = ROOT / "requirements.lock"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write the bill of what is installed here, with the given options in place of the usual ones."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    (tmp_path / "helper").write_bytes(b"a program")
    (tmp_path / "musl").write_text("1.2.3-1\n")

    def write(**options: Path) -> str:
        usual = {
            "site-packages": _SITE,
            "lock": _LOCK,
            "helper": tmp_path / "helper",
            "musl": tmp_path / "musl",
        }
        given = usual | options | {"output": tmp_path / "bill.json"}
        main([f"--{name}={path}" for name, path in given.items()])
        return (tmp_path / "bill.json").read_text()

    return write


def test_it_says_what_it_is(write: Any) -> None:
    bill = json.loads(write())
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    assert bill["metadata"] == {
        "component": {"type": "container", "bom-ref": "spillway", "name": "spillway", "version": "0.1.0"}
    }


def test_it_is_the_same_for_the_same_content(write: Any) -> None:
    assert write() == write()


def test_the_time_of_the_build_is_told_where_it_is_given(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    assert json.loads(write())["metadata"]["timestamp"] == "2026-01-01T00:00:00+00:00"


def test_a_component_has_a_version_a_package_url_and_a_licence(write: Any) -> None:
    named = {each["name"]: each for each in json.loads(write())["components"]}
    assert named["spillway-fargate"]["type"] == "application"
    assert named["aiohttp"] == {
        "type": "library",
        "bom-ref": f"pkg:pypi/aiohttp@{named['aiohttp']['version']}",
        "name": "aiohttp",
        "version": named["aiohttp"]["version"],
        "purl": f"pkg:pypi/aiohttp@{named['aiohttp']['version']}",
        "licenses": [{"expression": "Apache-2.0 AND MIT"}],
    }


def test_every_component_has_a_licence(write: Any) -> None:
    assert [each["name"] for each in json.loads(write())["components"] if not each.get("licenses")] == []


def test_the_helper_is_told_with_its_hash_and_the_libc_inside_it(write: Any) -> None:
    bill = json.loads(write())
    named = {each["name"]: each for each in bill["components"]}
    digest = hashlib.sha256(b"a program").hexdigest()
    assert named["spillway-helper"]["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert named["musl"]["purl"] == "pkg:deb/debian/musl@1.2.3-1"
    assert {"ref": "spillway-helper", "dependsOn": ["musl"]} in bill["dependencies"]


def test_every_reference_leads_to_one_component(write: Any) -> None:
    bill = json.loads(write())
    refs = ["spillway", *(each["bom-ref"] for each in bill["components"])]
    assert len(refs) == len(set(refs))
    assert sorted(each["ref"] for each in bill["dependencies"]) == sorted(refs)
    assert {ref for each in bill["dependencies"] for ref in each["dependsOn"]} == set(refs) - {"spillway"}


def test_what_only_development_needs_is_not_in_it(write: Any) -> None:
    names = {each["name"] for each in json.loads(write())["components"]}
    assert not names & {"pytest", "ruff", "moto", "hatchling", "editables", "pip"}


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        pytest.param(
            "", "is installed and not in the lock; write it anew: scripts/lock", id="nothing locked"
        ),
        pytest.param(
            "aiohappyeyeballs==0.0.1", "the lock has 0.0.1; install from the lock", id="another version"
        ),
    ],
)
def test_what_the_lock_does_not_have_ends_it(write: Any, tmp_path: Path, lock: str, told: str) -> None:
    (tmp_path / "lock").write_text(lock)
    with pytest.raises(SystemExit, match=re.escape(told)):
        write(lock=tmp_path / "lock")


def test_a_wheel_that_the_lock_does_not_name_ends_it(write: Any, tmp_path: Path) -> None:
    version = json.loads(write())["components"][0]["version"]
    (tmp_path / f"aiohappyeyeballs-{version}-py3-none-any.whl").write_bytes(b"another")
    with pytest.raises(SystemExit, match="is not one that the lock names"):
        write(wheels=tmp_path)


def test_a_package_that_is_missing_ends_it(write: Any, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="spillway-fargate is needed and not installed"):
        write(**{"site-packages": tmp_path})


def test_it_needs_nothing_of_the_project_but_itself(tmp_path: Path) -> None:
    told = "import scripts.lib.sbom.__main__, sys; print([each for each in sys.modules if each[:3] == 'app'])"
    ended = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"


def test_it_keeps_to_the_schema_of_cyclonedx(write: Any) -> None:
    validation = pytest.importorskip(
        "cyclonedx.validation.json",
        reason="needs cyclonedx-python-lib, which has the schema",
    )
    schema = pytest.importorskip("cyclonedx.schema")
    assert validation.JsonStrictValidator(schema.SchemaVersion.V1_6).validate_str(write()) is None
