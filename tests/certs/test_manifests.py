"""The manifests for those who install without the chart."""

from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
import yaml

from app import settings
from app.settings import IssuerSettings
from app.wiring.issuer import config_of

FOLDER = Path(__file__).resolve().parents[2] / "certs"
ISSUER = tuple(yaml.safe_load_all((FOLDER / "issuer.yaml").read_text()))
CERT_MANAGER = tuple(yaml.safe_load_all((FOLDER / "cert-manager.yaml").read_text()))
DEFAULTS = settings.load(IssuerSettings, {})


def named(kind: str, name: str) -> Any:
    (found,) = [
        each for each in (*ISSUER, *CERT_MANAGER) if (each["kind"], each["metadata"]["name"]) == (kind, name)
    ]
    return found


@pytest.mark.parametrize("version", ["1.29", "1.33", "1.37"])
@pytest.mark.parametrize("manifest", ISSUER, ids=lambda each: each["kind"])
def test_every_object_is_valid(manifest: Any, version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_the_rights_are_to_our_own_objects_alone() -> None:
    names = (DEFAULTS.ca_secret, DEFAULTS.tls_secret)
    by_name, create = named("Role", "spillway-issuer")["rules"]
    assert (tuple(by_name["resourceNames"]), by_name["verbs"]) == (names, ["get", "patch"])
    assert (create["resources"], create["verbs"]) == (["secrets"], ["create"])
    (hooks,) = named("ClusterRole", "spillway-issuer")["rules"]
    assert (hooks["resourceNames"], hooks["verbs"]) == ([DEFAULTS.webhook_configuration], ["get", "patch"])


def test_the_issuers_flags_are_settings() -> None:
    (container,) = named("Deployment", "spillway-issuer")["spec"]["template"]["spec"]["containers"]
    program, *flags = container["args"]
    known = {settings.flag(each) for each in settings.PROGRAMS[program].model_fields}
    assert {each.partition("=")[0] for each in flags} <= known


def test_cert_managers_leaf_has_the_names_that_ours_would_have() -> None:
    leaf = named("Certificate", "spillway-tls")["spec"]
    assert tuple(leaf["dnsNames"]) == config_of(DEFAULTS).dns
    assert leaf["secretName"] == DEFAULTS.tls_secret


def test_cert_managers_ca_keeps_its_key_and_has_a_secret_of_its_own() -> None:
    ca = named("Certificate", "spillway-cert-manager-ca")["spec"]
    assert ca["privateKey"]["rotationPolicy"] == "Never"
    assert ca["secretName"] not in {DEFAULTS.ca_secret, DEFAULTS.tls_secret}
    assert named("Issuer", "spillway-ca")["spec"]["ca"]["secretName"] == ca["secretName"]
