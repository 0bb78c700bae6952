"""helm, and what it makes of the chart."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "spillway"
FETCH = ROOT / "scripts" / "lib" / "helm"
HOME = str(ROOT / ".venv" / "helm" / "home")
"""Nobody's settings; what helm remembers of clusters lies there, too."""

KUBERNETES = "1.36.2"
NAMESPACE = "spillway"
COMBINATIONS = sorted((CHART / "ci").glob("*-values.yaml"))
NAMES = [path.name.removesuffix("-values.yaml") for path in COMBINATIONS]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of helm ended with."""

    code: int
    output: str
    errors: str


@cache
def helm_path(major: int) -> str:
    """Where helm of that major version is; empty where it cannot be fetched."""
    done = subprocess.run([FETCH, str(major)], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def helm(major: int, *arguments: str | Path, values: Json | None = None) -> Outcome:
    """Run helm, with the values on standard input."""
    more = ["--values", "-"] if values is not None else []
    done = subprocess.run(
        [helm_path(major), *arguments, *more],
        input=yaml.safe_dump(values or {}),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": HOME},
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def template(
    values: Json | None = None, *, major: int = 4, kubernetes: str = KUBERNETES, base: str = "default"
) -> Outcome:
    """The chart rendered with the values of one combination, and these over them."""
    over = merged(combination(base), values or {})
    return helm(
        major,
        "template",
        "spillway",
        CHART,
        f"--namespace={NAMESPACE}",
        f"--kube-version={kubernetes}",
        values=over,
    )


def rendered(
    values: Json | None = None, *, major: int = 4, kubernetes: str = KUBERNETES, base: str = "default"
) -> tuple[Json, ...]:
    """The objects that come of it."""
    outcome = template(values, major=major, kubernetes=kubernetes, base=base)
    assert outcome.code == 0, outcome.errors
    return objects(outcome.output)


def objects(text: str) -> tuple[Json, ...]:
    """The documents of a stream of manifests, each with what it is on top."""
    return tuple(each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each)


def combination(name: str) -> Json:
    """The values of ci/NAME-values.yaml."""
    return dict(yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text()))


def merged(below: Json, above: Mapping[str, Any]) -> Json:
    """As helm lays values over values."""
    whole = dict(below)
    for name, value in above.items():
        old = whole.get(name)
        whole[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return whole


def title(each: Json) -> str:
    """`Kind/name`."""
    return f"{each['kind']}/{each['metadata']['name']}"


def one(all_objects: tuple[Json, ...], wanted: str) -> Json:
    """The object of that title."""
    found = [each for each in all_objects if title(each) == wanted]
    assert len(found) == 1, f"{wanted}: {len(found)} of {[title(each) for each in all_objects]}"
    return found[0]


def workloads(all_objects: tuple[Json, ...]) -> Iterator[Json]:
    """Everything that makes pods, and pods."""
    yield from (each for each in all_objects if each["kind"] == "Pod" or "template" in each.get("spec", {}))


def pod_spec(workload: Json) -> Json:
    """The spec of its pods."""
    spec = workload["spec"]
    return dict(spec if workload["kind"] == "Pod" else spec["template"]["spec"])


def container(workload: Json) -> Json:
    """Its one container."""
    (only,) = pod_spec(workload)["containers"]
    return dict(only)


def environment(workload: Json) -> dict[str, str]:
    """The variables of its container that are written out, by name."""
    return {each["name"]: each["value"] for each in container(workload)["env"] if "value" in each}


def is_hook(each: Json) -> bool:
    """Whether Helm makes it for an uninstall or a test alone."""
    return "helm.sh/hook" in each["metadata"].get("annotations", {})


OTHERS = ("cert-manager.io/", "monitoring.coreos.com/")
"""API groups of cert-manager and of the Prometheus operator: Kubernetes itself has no schema of them."""

PLURALS = {"NetworkPolicy": "networkpolicies", "PriorityClass": "priorityclasses"}


def of_kubernetes(all_objects: tuple[Json, ...]) -> tuple[Json, ...]:
    """Those of Kubernetes' own kinds."""
    return tuple(each for each in all_objects if not each["apiVersion"].startswith(OTHERS))


def path_of(each: Json) -> str:
    """Where the object lives on an API server."""
    root = f"/apis/{each['apiVersion']}" if "/" in each["apiVersion"] else f"/api/{each['apiVersion']}"
    namespace = each["metadata"].get("namespace")
    inside = f"/namespaces/{namespace}" if namespace else ""
    plural = PLURALS.get(each["kind"], f"{each['kind'].lower()}s")
    return f"{root}{inside}/{plural}/{each['metadata']['name']}"


def metric_names(query: str) -> set[str]:
    """The metrics of ours that a PromQL expression names."""
    return set(re.findall(r"\bspillway_[a-z0-9_]+", query))
