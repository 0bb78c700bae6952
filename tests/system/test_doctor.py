"""`spillway doctor` on a running stack: it is well, then one thing after the other is broken."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from app.doctor.finding import Finding, Level
from app.doctor.rights import RIGHTS
from app.kube.transport import APPLY_PATCH, MERGE_PATCH
from app.kube.webhook_bundles import WebhookBundles
from app.local.registration import NAME
from app.local.scheduler_configuration import scheduler_configuration
from app.ports.failures import NotFound
from app.tls.authority import Authority
from app.wiring.clock import SystemClock
from app.wiring.doctor import examiner
from app.wiring.local.programs import NAMESPACE, NODE
from tests.chart.rendering import Json, helm_path, path_of, rendered
from tests.system.actors import Actors
from tests.system.conftest import ON_REAL
from tests.system.test_insight import spillway

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="session")]
CONFIG_MAPS: Final = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
RBAC: Final = "/apis/rbac.authorization.k8s.io/v1"
HOSTNAME: Final = "kubernetes.io/hostname"
INSTALLED: Final = ("ServiceAccount", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
WORKLOADS: Final = ("Deployment", "StatefulSet")


async def findings(actors: Actors) -> list[Finding]:
    kubeconfig = str(actors.stack.kubeconfig)
    async with examiner(kubeconfig, namespace="", clock=SystemClock()) as looking:
        return list((await looking.diagnosis()).findings)


def wrong(found: list[Finding]) -> dict[str, Finding]:
    """What fails, by its subject."""
    return {each.subject: each for each in found if each.level == Level.FAIL}


async def until_wrong(actors: Actors, subject: str, seen: str) -> dict[str, Finding]:
    """What fails, once this does."""
    last: dict[str, Finding] = {}

    async def look() -> bool:
        nonlocal last
        last = wrong(await findings(actors))
        return subject in last and seen in last[subject].seen

    await actors.until_so(f"{subject}: {seen}", look, shown=lambda: last)
    return last


async def until_well(actors: Actors) -> None:
    last: dict[str, Finding] = {}

    async def look() -> bool:
        nonlocal last
        last = wrong(await findings(actors))
        return not last

    await actors.until_so("nothing to fail", look, shown=lambda: last)


@contextlib.asynccontextmanager
async def configured(actors: Actors) -> AsyncIterator[None]:
    """The scheduler's configuration, where a cluster would hold it."""
    stack = actors.stack
    written = scheduler_configuration(
        kubeconfig_path="",
        extender_url=stack.places.extender_url,
        ca_data=(stack.options.directory / "ca.crt").read_bytes(),
        marked_only=True,
    )
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "scheduler"},
        "data": {"scheduler.yaml": json.dumps(written)},
    }
    await actors.request("POST", CONFIG_MAPS, body)
    try:
        yield
    finally:
        await actors.request("DELETE", f"{CONFIG_MAPS}/scheduler")


async def test_an_installation_that_is_well_has_nothing_to_mend(actors: Actors) -> None:
    space = await actors.namespace(overflow="enabled")
    async with configured(actors):
        found = await findings(actors)
    told = [(each.subject, each.level) for each in found if each.level != Level.OK]
    assert {level for _, level in told} <= {Level.SKIP}, found
    # A stack has no Deployments of ours and no DNS, and a bridge learns the quota in its own time.
    assert {subject for subject, _ in told} <= {"programs", "rbac", "kubelet", "dns", "quota"}, found
    trials = [each.seen for each in found if each.subject == "trial"]
    assert trials == [
        f"a pod that is created in {space} goes through the entry enabled",
        "a pod that is created in default goes through the entry tolerant",
    ]
    certificates = [each.seen.partition(" at ")[0] for each in found if each.subject == "certificate"]
    assert certificates == [
        "the webhook's certificate",
        "the extender's certificate",
        f"the node's API of {NODE}, its certificate",
    ]
    scheduler = next(each for each in found if each.subject == "scheduler")
    assert f"asks {actors.stack.places.extender_url} about marked pods" in scheduler.seen


async def test_what_is_tried_is_not_kept(actors: Actors) -> None:
    space = await actors.namespace(overflow="permitted")
    found = await findings(actors)
    assert f"a pod that is created in {space} goes through the entry permitted" in [
        each.seen for each in found
    ]
    assert await actors.pods(space) == ()


async def test_the_command_prints_a_line_for_each_check_and_json(actors: Actors) -> None:
    await actors.namespace(overflow="enabled")
    code, out, err = await spillway("doctor", kubeconfig=actors.stack.kubeconfig)
    assert (code, err) == (0, "")
    *lines, counted = out.splitlines()
    assert {line.split()[0] for line in lines} <= {"OK", "WARN", "SKIP"}
    assert counted.startswith(f"{sum(line.startswith('OK') for line in lines)} OK")
    code, out, _ = await spillway("doctor", "--json", kubeconfig=actors.stack.kubeconfig)
    assert (code, len(json.loads(out)["findings"])) == (0, len(lines))


async def test_a_webhook_that_is_stopped_fails_the_trial(actors: Actors) -> None:
    await actors.namespace(overflow="enabled")
    await actors.stack.kill_program("webhook")
    try:
        found = await until_wrong(actors, "trial", "comes back as it was sent")
        assert "-l app.kubernetes.io/component=webhook" in found["trial"].mend
        code, out, _ = await spillway("doctor", kubeconfig=actors.stack.kubeconfig)
        assert (code, "FAIL trial" in out) == (1, True)
    finally:
        await actors.stack.start_program("webhook")
        await actors.stack.until_ready("webhook")
    await until_well(actors)


async def test_a_pod_that_was_made_without_the_webhook_waits_unmarked(actors: Actors) -> None:
    space = await actors.namespace()
    large = {"resources": {"requests": {"cpu": "64"}}}
    async with actors.without("webhook"):
        await actors.pod(space, "greedy", "true", tolerations=[{"operator": "Exists"}], container=large)
        await actors.pod(space, "modest", "true", container=large)
    [found] = [each for each in await findings(actors) if each.subject == "marker"]
    assert (found.level, f"lacks the marker ({space}/greedy)" in found.seen) == (Level.WARN, True)
    await actors.request("DELETE", f"/api/v1/namespaces/{space}/pods/greedy")
    await actors.pod(space, "marked", "true", tolerations=[{"operator": "Exists"}], container=large)
    [found] = [each for each in await findings(actors) if each.subject == "marker"]
    assert found.level == Level.OK


async def test_a_bundle_of_somebody_else_fails_certificate_and_trial(actors: Actors) -> None:
    await actors.namespace(overflow="enabled")
    bundles = WebhookBundles(actors.stack.connection, name=NAME)
    before = await bundles.read()
    assert before is not None
    stranger = Authority.create("a stranger", now=SystemClock().now())
    await bundles.inject(before, stranger.cert_pem)
    try:
        found = await until_wrong(actors, "trial", "comes back as it was sent")
        assert "is not signed by whom callers trust" in found["certificate"].seen
        assert "component=issuer" in found["certificate"].mend
    finally:
        changed = await bundles.read()
        assert changed is not None
        await bundles.inject(changed, before.webhooks[0].client_config.ca_bundle)
    await until_well(actors)


async def test_a_hostname_fails_until_the_mend_takes_it_off(actors: Actors) -> None:
    path = f"/api/v1/nodes/{NODE}"
    label = functools.partial(actors.request, "PATCH", path, content_type=MERGE_PATCH)
    await label({"metadata": {"labels": {HOSTNAME: NODE}}})
    try:
        found = await until_wrong(actors, "node", HOSTNAME)
        assert found["node"].mend == f"kubectl label node {NODE} {HOSTNAME}-"
    finally:
        await label({"metadata": {"labels": {HOSTNAME: None}}})
    await until_well(actors)


async def test_an_extender_that_is_stopped_fails_the_gate(actors: Actors) -> None:
    await actors.stack.kill_program("extender")
    try:
        found = await until_wrong(actors, "gate", "no extender leads")
        assert "look at the extender's pods and logs" in found["gate"].mend
    finally:
        await actors.stack.start_program("extender")
        await actors.stack.until_ready("extender")
    await until_well(actors)


async def as_somebody(actors: Actors, directory: Path, *resources: str) -> Path:
    """The kubeconfig of an account that may list these, and nothing else."""
    space = await actors.namespace()
    await actors.request("POST", f"/api/v1/namespaces/{space}/serviceaccounts", {"metadata": {"name": "who"}})
    rule = {"apiGroups": [""], "resources": [*resources], "verbs": ["list"]}
    who = {"kind": "ServiceAccount", "name": "who", "namespace": space}
    reference = {"apiGroup": RBAC.split("/")[2], "kind": "ClusterRole", "name": space}
    metadata = {"metadata": {"name": space}}
    rules = [rule] if resources else []
    await actors.request("POST", f"{RBAC}/clusterroles", {**metadata, "rules": rules})
    binding = {**metadata, "roleRef": reference, "subjects": [who]}
    await actors.request("POST", f"{RBAC}/clusterrolebindings", binding)
    path = f"/api/v1/namespaces/{space}/serviceaccounts/who/token"
    token = (await actors.request("POST", path, {"spec": {}}))["status"]["token"]
    config = json.loads(actors.stack.kubeconfig.read_text())
    config["users"] = [{"name": each["name"], "user": {"token": token}} for each in config["users"]]
    (directory / "kubeconfig").write_text(json.dumps(config))
    return directory / "kubeconfig"


LITTLE: Final = {"programs", "webhook", "trial", "scheduler", "gate", "kubelet", "policies"}


@ON_REAL
@pytest.mark.parametrize(
    ("resources", "skips"),
    [
        pytest.param(("nodes", "namespaces"), LITTLE, id="half-of-it"),
        pytest.param((), {*LITTLE, "node", "namespaces", "quota", "marker"}, id="nothing"),
    ],
)
async def test_whoever_may_read_little_is_told_what_was_skipped(
    actors: Actors, tmp_path: Path, resources: tuple[str, ...], skips: set[str]
) -> None:
    code, out, err = await spillway("doctor", kubeconfig=await as_somebody(actors, tmp_path, *resources))
    assert (code, err) == (0, "")
    skipped = [line for line in out.splitlines() if line.startswith("SKIP")]
    assert skips <= {line.split()[1] for line in skipped}
    assert [line for line in skipped if "; mend: " not in line] == []
    assert "may not" not in out
    assert 'cannot list resource "mutatingwebhookconfigurations"' in out


async def applied(actors: Actors, made: Mapping[str, Any]) -> None:
    connection = actors.stack.connection
    query: dict[str, str | bool] = {"fieldManager": "helm", "force": True}
    await connection.request("PATCH", path_of(dict(made)), query=query, body=made, content_type=APPLY_PATCH)


@contextlib.asynccontextmanager
async def installed(actors: Actors) -> AsyncIterator[None]:
    """What the chart brings but its pods: accounts, roles, and workloads without a replica."""
    made = rendered(base="own-scheduler")
    objects: list[Json] = [each for each in made if each["kind"] in INSTALLED]
    objects += [
        {**each, "spec": {**each["spec"], "replicas": 0}} for each in made if each["kind"] in WORKLOADS
    ]
    try:
        for each in objects:
            await applied(actors, each)
        yield
    finally:
        for each in objects:
            with contextlib.suppress(NotFound):
                await actors.request("DELETE", path_of(each))


async def rights(actors: Actors) -> list[Finding]:
    return [each for each in await findings(actors) if each.subject == "rbac"]


@ON_REAL
@pytest.mark.skipif(not helm_path(4), reason="helm cannot be fetched (scripts/lib/helm)")
async def test_the_charts_roles_are_enough_and_one_that_is_taken_away_is_named(actors: Actors) -> None:
    await actors.namespace(overflow="enabled")
    async with installed(actors):
        found = await rights(actors)
        assert [(each.level, each.seen.split()[0]) for each in found] == [
            (Level.OK, f"system:serviceaccount:{NAMESPACE}:spillway-{program}")
            for program in dict.fromkeys(each.program for each in RIGHTS)
        ]
        binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/spillway-bridge"
        await actors.request("DELETE", binding)
        await asyncio.sleep(1)
        failed = (await until_wrong(actors, "rbac", "spillway-bridge may not: create nodes"))["rbac"]
        assert "kubectl auth can-i create nodes -A" in failed.mend
        assert failed.mend.endswith(f"--as=system:serviceaccount:{NAMESPACE}:spillway-bridge")
        programs = next(each for each in await findings(actors) if each.subject == "programs")
        assert programs.seen.startswith("0.1.0: bridge, extender, issuer, webhook")
