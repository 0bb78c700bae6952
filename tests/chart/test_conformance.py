"""What the chart makes is what Kubernetes knows, in every version that the chart names."""

from collections.abc import Iterator
from contextlib import contextmanager

import jsonschema.validators  # type: ignore[import-untyped]  # it ships no types
import pytest
from kubernetes_validate import utils  # type: ignore[import-untyped]  # it ships no types
from referencing import Registry, Resource

from tests.chart.rendering import (
    NAMESPACE,
    Json,
    of_kubernetes,
    path_of,
    pod_spec,
    rendered,
    title,
    workloads,
)
from tests.conformance.servers import APPLY, ApiServer

VERSIONS = ("1.29", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")


class Schemas:
    """The schemas of one version, each read once: kubernetes_validate reads them anew for every object."""

    def __init__(self, version: str) -> None:
        newest = [each for each in utils.all_versions() if utils.major_minor(each) == version][-1]
        self._folder = f"kubernetes-json-schema/v{newest}-local-strict"
        self._version = version
        definitions = Resource.from_contents(self._read("_definitions"))
        self._registry: Registry[Json] = definitions @ Registry()
        self._validators: dict[str, jsonschema.Validator] = {}

    def _read(self, name: str) -> Json:
        return dict(utils.schema_contents(f"{self._folder}/{name}.json", self._version))

    def faults(self, each: Json) -> Iterator[str]:
        group, _, version = each["apiVersion"].rpartition("/")
        name = "-".join(filter(None, (each["kind"].lower(), group.partition(".")[0], version)))
        if name not in self._validators:
            schema = self._read(name)
            registry = Resource.from_contents(schema) @ self._registry
            self._validators[name] = jsonschema.validators.Draft202012Validator(schema, registry=registry)
        for error in self._validators[name].iter_errors(each):
            yield f"{title(each)}: {error.message} at {error.json_path}"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(distinct: tuple[Json, ...], version: str) -> None:
    schemas = Schemas(version)
    assert [fault for each in of_kubernetes(distinct) for fault in schemas.faults(each)] == []


@pytest.mark.parametrize("version", ["1.29", "1.37"])
def test_what_depends_on_the_version_is_valid_in_it(version: str) -> None:
    schemas = Schemas(version)
    made = rendered(base="second-scheduler", kubernetes=f"{version}.0")
    assert [fault for each in of_kubernetes(made) for fault in schemas.faults(each)] == []


def test_a_field_that_kubernetes_does_not_know_would_be_found(default: tuple[Json, ...]) -> None:
    webhook = {**default[0], "spec": {**default[0]["spec"], "maxUnavalable": 1}}
    assert "maxUnavalable" in "".join(Schemas("1.36").faults(webhook))


def test_a_real_api_server_accepts_every_object(api: ApiServer, distinct: tuple[Json, ...]) -> None:
    with accounts_of_pods(api, distinct, NAMESPACE):
        answers = [(title(each), apply_dry(api, each)) for each in of_kubernetes(distinct)]
    assert [(name, answer) for name, answer in answers if answer] == []


def test_pods_meet_the_restricted_pod_security_standard(api: ApiServer, distinct: tuple[Json, ...]) -> None:
    labels = {"pod-security.kubernetes.io/warn": "restricted"}
    guarded = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "guarded", "labels": labels}}
    assert api.post("/api/v1/namespaces", guarded).is_success
    with accounts_of_pods(api, distinct, "guarded"):
        answers = [
            (title(each), apply_dry(api, {**each, "metadata": {**each["metadata"], "namespace": "guarded"}}))
            for each in workloads(distinct)
        ]
    assert {name for name, answer in answers if "restricted" in answer} == ON_THE_NODES_NETWORK
    assert [answer for _, answer in answers if answer and "hostNetwork" not in answer] == []


ON_THE_NODES_NETWORK = {
    "Deployment/spillway-webhook",
    "Deployment/spillway-extender",
    "StatefulSet/spillway-bridge",
    "Job/spillway-drain",
    "Job/spillway-drain-leases",
}
"""Warned of once each: in the combination that asks for the node's network."""


@contextmanager
def accounts_of_pods(api: ApiServer, made: tuple[Json, ...], namespace: str) -> Iterator[None]:
    """Not even for trial is a pod let in whose account is not there."""
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    names = {pod_spec(each)["serviceAccountName"] for each in made if each["kind"] == "Pod"}
    assert all(api.post(path, {"metadata": {"name": name}}).is_success for name in names)
    yield
    assert all(api.delete(f"{path}/{name}").is_success for name in names)


def apply_dry(api: ApiServer, each: Json) -> str:
    """As `kubectl apply --server-side --dry-run=server --validate=strict`; what is wrong, or warned of."""
    query = {"fieldManager": "helm", "force": "true", "dryRun": "All", "fieldValidation": "Strict"}
    answer = api.patch(path_of(each), each, APPLY, **query)
    return answer.headers.get("warning", "") if answer.is_success else answer.text
