"""A bill of materials in CycloneDX 1.6 JSON (ECMA-424), the same for the same content."""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from scripts.lib.sbom.installed import OWN, Package

Json = dict[str, Any]

_NAMESPACE: Final = uuid.UUID("0b5e8a1e-6a7c-5d0f-9c2b-6f2f3f0f9a51")


@dataclass(frozen=True, slots=True)
class Helper:
    """The in-task helper: the SHA-256 of the program, and the version of the musl libc in it."""

    sha256: str
    musl: str


def bill(packages: Sequence[Package], *, helper: Helper, epoch: int | None) -> str:
    """The document, as text that ends with a newline.

    Args:
        packages: our own distribution and all that it needs.
        helper: the program beside them.
        epoch: when the build happened, seconds since 1970; None leaves the time out.
    """
    own = next(package for package in packages if package.name == OWN)
    image = {"type": "container", "bom-ref": "spillway", "name": "spillway", "version": own.version}
    document: Json = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": image},
        "components": [*map(_of_python, packages), *_of_helper(helper, version=own.version)],
        "dependencies": [
            {"ref": "spillway", "dependsOn": [_refs(packages)[OWN], "spillway-helper"]},
            *_dependencies(packages),
            {"ref": "spillway-helper", "dependsOn": ["musl"]},
            {"ref": "musl", "dependsOn": []},
        ],
    }
    if epoch is not None:
        document["metadata"]["timestamp"] = dt.datetime.fromtimestamp(epoch, dt.UTC).isoformat()
    content = json.dumps(document, sort_keys=True)
    document["serialNumber"] = uuid.uuid5(_NAMESPACE, content).urn
    return json.dumps(document, indent=2) + "\n"


def _of_python(package: Package) -> Json:
    purl = _purl("pypi", package.name, package.version)
    component: Json = {
        "type": "application" if package.name == OWN else "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
    }
    if package.licence:
        named = {"license": {"name": package.licence}}
        component["licenses"] = [{"expression": package.licence} if package.is_expression else named]
    if package.sha256:
        component["hashes"] = [_sha256(package.sha256)]
    return component


def _of_helper(helper: Helper, *, version: str) -> tuple[Json, Json]:
    return (
        {
            "type": "application",
            "bom-ref": "spillway-helper",
            "name": "spillway-helper",
            "version": version,
            "licenses": [{"expression": "Apache-2.0"}],
            "hashes": [_sha256(helper.sha256)],
        },
        {
            "type": "library",
            "bom-ref": "musl",
            "name": "musl",
            "version": helper.musl,
            "licenses": [{"expression": "MIT"}],
            "purl": _purl("deb/debian", "musl", helper.musl),
        },
    )


def _dependencies(packages: Sequence[Package]) -> list[Json]:
    refs = _refs(packages)
    return [
        {"ref": refs[package.name], "dependsOn": [refs[name] for name in package.needs]}
        for package in packages
    ]


def _refs(packages: Sequence[Package]) -> dict[str, str]:
    return {package.name: _purl("pypi", package.name, package.version) for package in packages}


def _purl(kind: str, name: str, version: str) -> str:
    return f"pkg:{kind}/{name}@{quote(version, safe='')}"


def _sha256(digest: str) -> Json:
    return {"alg": "SHA-256", "content": digest}
