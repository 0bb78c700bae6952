"""The issuer with exactly the rights of certs/issuer.yaml, and a webhook that mounts its Secret."""

import asyncio
import base64
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import yaml
from cryptography import x509

from app.kube.transport import MERGE_PATCH
from app.local.loopback import LOOPBACK, free_ports
from app.local.processes import Child
from app.local.registration import webhook_configuration
from app.model.names import TAINT_KEY
from app.ports.failures import NotFound
from app.timing.waiting import cancelled
from app.wiring.clock import SystemClock
from app.wiring.local import programs
from app.wiring.local.clusters import EMBEDDED
from tests.serving.mounts import swap
from tests.system.actors import Actors
from tests.system.test_access import RBAC, token_of

MANIFESTS: Final = Path(__file__).resolve().parents[2] / "certs" / "issuer.yaml"
CONFIGURATIONS: Final = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
TLS: Final = "spillway-tls"
CA: Final = "spillway-ca"
_BOUND: Final = {"Role": "roles", "RoleBinding": "rolebindings"}
_CLUSTER_BOUND: Final = {"ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"}
_LATE: Final = 0.5
"""Seconds that our kubelet is late."""


class Installation:
    """A namespace, and a webhook that is registered without a caBundle: that is the issuer's business."""

    def __init__(self, actors: Actors, space: str) -> None:
        self.actors = actors
        self.space = space
        self.name = f"issued-{space}"
        self.webhook_port, self.probe_port = free_ports(2)
        self.directory = actors.stack.options.directory / self.name
        self._clock = SystemClock()
        self._token = ""

    async def prepare(self, *, rights: bool = True) -> Self:
        """Account, rights and registration; no Secret."""
        self.directory.mkdir()
        self._token = await token_of(self.actors, self.space, "spillway-issuer")
        if rights and self.actors.stack.kubernetes != EMBEDDED:
            await self._give_rights()
        await self.actors.request("POST", CONFIGURATIONS, self._configuration())
        return self

    async def leave(self) -> None:
        """Take the registration away."""
        await self.actors.request("DELETE", f"{CONFIGURATIONS}/{self.name}")

    @contextlib.asynccontextmanager
    async def running(self, *flags: str) -> AsyncIterator[Child]:
        """The issuer, as a process."""
        child = await self._child("issuer", *self._flags(), *flags)
        try:
            yield child
        finally:
            await child.stop(clock=self._clock)

    async def once(self) -> tuple[int, str]:
        """`spillway issuer --once`: its exit code and log."""
        child = await self._child("issuer", *self._flags(), "--once")
        while child.exit_code is None:
            await self._clock.sleep(0.1)
        return child.exit_code, child.log.read_text()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The webhook, as a process that mounts the Secret by a kubelet that is a little late."""
        mounting = asyncio.create_task(self._mount())
        while not (self.directory / "tls" / "tls.crt").exists():
            assert not mounting.done(), mounting.result()
            await self._clock.sleep(0.1)
        tls = self.directory / "tls"
        webhook = await self._child(
            "webhook",
            f"--host={LOOPBACK}",
            f"--port={self.webhook_port}",
            f"--tls-cert={tls / 'tls.crt'}",
            f"--tls-key={tls / 'tls.key'}",
        )
        try:
            yield
        finally:
            await webhook.stop(clock=self._clock)
            await cancelled(mounting)

    async def mutates(self) -> bool:
        """Whether the API server reaches the webhook, believes it, and takes its answer."""
        container = {"name": "main", "image": "registry.example/app:1"}
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"generateName": "probe-"},
            "spec": {"containers": [container]},
        }
        answer = await self.actors.stack.connection.request(
            "POST", f"/api/v1/namespaces/{self.space}/pods", body=body, query={"dryRun": "All"}
        )
        tolerations = json.loads(answer)["spec"].get("tolerations", [])
        return any(each.get("key") == TAINT_KEY for each in tolerations)

    async def until_mutated(self) -> None:
        """Wait until it does."""
        await self.actors.until_so("a pod to be mutated", self.mutates)

    @contextlib.asynccontextmanager
    async def all_mutated(self) -> AsyncIterator[list[bool]]:
        """Meanwhile pods are created one after another; whether each was mutated."""
        outcomes: list[bool] = []

        async def create() -> None:
            while True:
                outcomes.append(await self.mutates())
                await self._clock.sleep(0.05)

        creating = asyncio.create_task(create())
        try:
            yield outcomes
        finally:
            await cancelled(creating)

    async def secret(self, name: str) -> Mapping[str, Any]:
        """The keys of a Secret, as they are on the wire; none where it is not there."""
        try:
            found = await self.actors.request("GET", f"/api/v1/namespaces/{self.space}/secrets/{name}")
        except NotFound:
            return {}
        return dict(found.get("data", {}))

    async def delete_ca(self) -> None:
        """What people do to get a new CA."""
        await self.actors.request("DELETE", f"/api/v1/namespaces/{self.space}/secrets/{CA}")

    async def bundles(self) -> list[str]:
        """What each entry trusts."""
        found = await self.actors.request("GET", f"{CONFIGURATIONS}/{self.name}")
        return [each["clientConfig"].get("caBundle", "") for each in found["webhooks"]]

    async def reset(self) -> None:
        """The registration as it was rendered, without a caBundle, as `helm upgrade --force` writes it."""
        await self.actors.request(
            "PATCH",
            f"{CONFIGURATIONS}/{self.name}",
            {"webhooks": self._configuration()["webhooks"]},
            content_type=MERGE_PATCH,
        )

    async def write_all_anew(self) -> None:
        """As `helm upgrade --force` does it: both Secrets empty, and the registration without a caBundle."""
        for name in (CA, TLS):
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque"}
            await self.actors.request("PUT", f"/api/v1/namespaces/{self.space}/secrets/{name}", body)
        await self.reset()

    async def until_whole(self) -> None:
        """Wait until each entry trusts somebody."""

        async def whole() -> bool:
            return all(await self.bundles())

        await self.actors.until_so("every caBundle to be back", whole)

    def served(self) -> x509.Certificate:
        """What the mounted files hold now."""
        return x509.load_pem_x509_certificate((self.directory / "tls" / "tls.crt").read_bytes())

    async def until_rotated(self) -> None:
        """Wait until there is a CA, and no former one is trusted any more."""

        async def done() -> bool:
            ca, tls = await self.secret(CA), await self.secret(TLS)
            return "ca.crt" in ca and "previous.crt" not in ca and ca["ca.crt"] == tls["ca.crt"]

        await self.actors.until_so("the rotation to end", done)

    def _flags(self) -> tuple[str, ...]:
        return (
            f"--namespace={self.space}",
            f"--webhook-configuration={self.name}",
            f"--extra-names={LOOPBACK}",
            f"--kubeconfig={self._kubeconfig()}",
            f"--probe-host={LOOPBACK}",
            f"--probe-port={self.probe_port}",
        )

    def _kubeconfig(self) -> Path:
        path = self.directory / "kubeconfig"
        config = json.loads(self.actors.stack.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": self._token}
        path.write_text(json.dumps(config))
        return path

    async def _child(self, program: str, *flags: str) -> Child:
        argv = [sys.executable, "-m", "app", program, *flags]
        environment = programs.environment(self.actors.stack.places)
        return await Child.start(program, argv, directory=self.directory, environment=environment)

    async def _mount(self) -> None:
        """As the kubelet does it: a folder of the new files, and one symbolic link that is swapped."""
        target, number, before = self.directory / "tls", 0, b""
        target.mkdir()
        while True:
            data = await self.secret(TLS)
            now = json.dumps(data).encode()
            if data and now != before:
                number, before = number + 1, now
                swap(target, str(number), {key: base64.b64decode(value) for key, value in data.items()})
            await self._clock.sleep(_LATE)

    def _configuration(self) -> dict[str, Any]:
        url = f"https://{LOOPBACK}:{self.webhook_port}"
        made = webhook_configuration(url=url, ca_pem=b"", tolerant=False)
        for entry in made["webhooks"]:
            entry["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": self.space}}
            entry["clientConfig"] = {"url": f"{url}/mutate/enabled"}
        return {**made, "metadata": {"name": self.name}}

    async def _give_rights(self) -> None:
        for each in yaml.safe_load_all(MANIFESTS.read_text()):
            if each["kind"] in _BOUND:
                path = f"{RBAC}/namespaces/{self.space}/{_BOUND[each['kind']]}"
            elif each["kind"] in _CLUSTER_BOUND:
                path = f"{RBAC}/{_CLUSTER_BOUND[each['kind']]}"
            else:
                continue
            await self.actors.request("POST", path, self._renamed(each))

    def _renamed(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """The same for our namespace, our webhook configuration, and cluster-wide names of our own."""
        if manifest["kind"] in _CLUSTER_BOUND:
            manifest["metadata"]["name"] = self.name
        else:
            manifest["metadata"]["namespace"] = self.space
        if manifest["kind"] == "ClusterRole":
            manifest["rules"][0]["resourceNames"] = [self.name]
        if manifest["kind"] == "ClusterRoleBinding":
            manifest["roleRef"]["name"] = self.name
        for subject in manifest.get("subjects", []):
            subject["namespace"] = self.space
        return manifest
