"""A release on a real API server: installed, upgraded and taken away by Helm 3 and by Helm 4."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.rendering import CHART, NAMESPACE, Json, combination, helm, merged, path_of, rendered
from tests.conformance.servers import MERGE, STRATEGIC, ApiServer

TLS = f"/api/v1/namespaces/{NAMESPACE}/secrets/spillway-tls"
CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/spillway"
BRIDGE = f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/spillway-bridge"
ISSUED = {"tls.crt": b64encode(b"certificate").decode(), "tls.key": b64encode(b"key").decode()}
AUTHORITY = b64encode(b"-----BEGIN CERTIFICATE-----").decode()


class Release:
    """The release `spillway`, by one major version of Helm."""

    def __init__(self, api: ApiServer, major: int) -> None:
        self.api = api
        self.major = major

    def run(self, verb: str, *arguments: str | Path, values: Json | None = None) -> None:
        place = (f"--kubeconfig={self.api.kubeconfig}", f"--namespace={NAMESPACE}")
        outcome = helm(self.major, verb, "spillway", *arguments, *place, values=values)
        assert outcome.code == 0, outcome.errors

    def issue(self) -> None:
        """What the issuer writes."""
        assert self.api.patch(TLS, {"data": ISSUED}, MERGE, fieldManager="spillway-issuer").is_success
        names = [each["name"] for each in self.api.get(CONFIGURATION).json()["webhooks"]]
        entries = [{"name": name, "clientConfig": {"caBundle": AUTHORITY}} for name in names]
        body = {"webhooks": entries}
        assert self.api.patch(CONFIGURATION, body, STRATEGIC, fieldManager="spillway-issuer").is_success


@pytest.fixture(params=[3, 4], ids=["helm 3", "helm 4"])
def release(api: ApiServer, request: pytest.FixtureRequest) -> Iterator[Release]:
    made = Release(api, request.param)
    made.run("install", CHART, values=combination("default"))
    yield made
    made.run("uninstall", "--no-hooks", "--ignore-not-found")


def test_an_upgrade_leaves_what_the_issuer_wrote(release: Release) -> None:
    release.issue()
    values = merged(combination("default"), {"bridge": {"settings": {"nodeName": "fargate-2"}}})
    release.run("upgrade", CHART, values=values)
    api = release.api
    container = api.get(BRIDGE).json()["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "SPILLWAY_NODE_NAME", "value": "fargate-2"} in container["env"]
    assert api.get(TLS).json()["data"] == ISSUED
    bundles = {each["clientConfig"].get("caBundle") for each in api.get(CONFIGURATION).json()["webhooks"]}
    assert bundles == {AUTHORITY}


def test_an_upgrade_to_the_other_actuator_and_back_is_accepted(release: Release) -> None:
    release.issue()
    release.run("upgrade", CHART, values=combination("second-scheduler"))
    assert len(release.api.get(CONFIGURATION).json()["webhooks"]) == 3
    release.run("upgrade", CHART, values=combination("default"))
    bundles = [
        each["clientConfig"].get("caBundle") for each in release.api.get(CONFIGURATION).json()["webhooks"]
    ]
    assert bundles == [AUTHORITY, AUTHORITY]


def test_an_uninstall_leaves_nothing(release: Release) -> None:
    release.issue()
    release.run("uninstall", "--no-hooks", "--cascade=background", "--wait")
    paths = {path_of(each) for each in rendered()}
    assert {path for path in paths if release.api.get(path).status_code != 404} == set()
