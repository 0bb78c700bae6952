"""Versions of Kubernetes and of our programs."""

from typing import Any

import msgspec
import pytest

from app.doctor.finding import Level
from app.doctor.seen import component, homes
from app.doctor.versions import check
from app.model.installed import Workload
from tests.doctor.look import a_look, a_workload, not_ok

PROGRAMS = ("webhook", "extender", "bridge")


def installed(**versions: str) -> Any:
    return tuple(a_workload(each, version=versions.get(each, "0.1.0")) for each in PROGRAMS)


def moved(namespace: str) -> tuple[Workload, ...]:
    """The same in another namespace."""
    return tuple(
        msgspec.structs.replace(each, metadata=msgspec.structs.replace(each.metadata, namespace=namespace))
        for each in installed()
    )


@pytest.mark.parametrize("server", ["v1.29.0", "v1.36.2", "v1.37.0-eks-abc", "1.31+"])
def test_kubernetes_that_it_is_made_for_is_well(server: str) -> None:
    assert not_ok(check, a_look(server=server)) == []


@pytest.mark.parametrize(
    ("server", "level"),
    [
        pytest.param("v1.28.9", Level.FAIL, id="too-old"),
        pytest.param("v1.38.0", Level.WARN, id="newer-than-tried"),
        pytest.param("main", Level.WARN, id="no-version"),
    ],
)
def test_other_kubernetes_is_told(server: str, level: Level) -> None:
    [(found, seen)] = not_ok(check, a_look(server=server))
    assert (found, server in seen) == (level, True)


def test_programs_of_several_versions_are_told_with_who_is_what() -> None:
    [(level, seen)] = not_ok(check, a_look(workloads=installed(bridge="0.2.0")))
    assert level == Level.WARN
    assert "0.1.0: extender, webhook; 0.2.0: bridge" in seen


def test_a_command_of_another_version_is_told() -> None:
    [(level, seen)] = not_ok(check, a_look(own="0.9.0"))
    assert (level, "this command is 0.9.0" in seen) == (Level.WARN, True)


def test_a_program_that_runs_elsewhere_is_told_and_judged_by_what_it_does() -> None:
    [_, programs] = check(a_look(workloads=installed()[:2]))
    assert (programs.level, programs.seen) == (Level.OK, "0.1.0: extender, webhook; not in spillway: bridge")


def test_a_namespace_without_our_programs_is_skipped() -> None:
    [(level, seen)] = not_ok(check, a_look(workloads=()))
    assert (level, "no Deployment of Spillway is in spillway" in seen) == (Level.SKIP, True)


def test_a_cluster_without_any_trace_of_us_is_told_in_one_line() -> None:
    [(level, seen)] = not_ok(check, a_look(workloads=(), webhooks=(), nodes=()))
    assert (level, seen.startswith("nothing of Spillway is in this cluster")) == (Level.FAIL, True)


def test_a_namespace_that_they_are_not_in_is_told_with_the_one_that_they_are_in() -> None:
    [_, found] = check(a_look(workloads=(), installed=moved("elsewhere")))
    assert (found.level, found.mend) == (Level.FAIL, "spillway doctor --namespace elsewhere")


def test_extenders_of_two_namespaces_are_rivals() -> None:
    [(level, seen)] = not_ok(check, a_look(installed=(*moved("a"), *moved("b"))))
    assert (level, "several namespaces (a, b)" in seen) == (Level.FAIL, True)


def test_a_bridge_of_another_namespace_is_no_rival() -> None:
    both = (*moved("a"), *(each for each in moved("b") if component(each) == "bridge"))
    assert not_ok(check, a_look(installed=both)) == []
    assert homes(both) == ("a", "b")


def test_a_program_of_which_no_pod_is_ready_fails_with_where_to_look() -> None:
    seen = a_look(workloads=(*installed(), a_workload("issuer", ready=0)))
    [found] = [each for each in check(seen) if each.level == Level.FAIL]
    assert "none of the 1 pods of spillway-issuer is Ready" in found.seen
    assert found.mend == "kubectl -n spillway describe pods -l app.kubernetes.io/component=issuer"
