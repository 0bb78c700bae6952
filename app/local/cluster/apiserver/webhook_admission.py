"""Calling admission webhooks as the real API server does: who is asked, and what an answer does.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

import base64
import binascii
import ssl
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import jsonpatch
import msgspec

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.resources import Resource
from app.local.cluster.apiserver.selectors import selects
from app.local.cluster.apiserver.store import Store
from app.local.http_client import HttpClient, HttpError, loopback_tls


class PendingWrite(msgspec.Struct, kw_only=True):
    """A write that is about to happen."""

    resource: Resource
    operation: str
    new: Object
    old: Object | None = None
    subresource: str = ""
    user: Mapping[str, Any]
    dry_run: bool = False


class _Unusable(Exception):
    """No answer, or one that means nothing: the failure policy decides."""


_ANSWER_KIND: Final = ("admission.k8s.io/v1", "AdmissionReview")


class WebhookAdmission:
    """The mutating webhooks that MutatingWebhookConfigurations in the store name.

    `services` maps `<namespace>/<name>` of a Service to the `host:port` it is reached at, because nothing
    routes cluster addresses here.
    """

    def __init__(self, store: Store, *, ids: Callable[[], str], services: Mapping[str, str]) -> None:
        self._store = store
        self._ids = ids
        self._services = services
        self._idle: dict[str, list[HttpClient]] = {}

    async def admit(self, write: PendingWrite, *, warnings: list[str]) -> Object:
        """The object as the webhooks leave it; `write.new` itself where none changed it.

        Raises:
            ApiError: a webhook's refusal; 500 where one failed and must not, or where its patch does not
                apply.
        """
        hooks = [hook for hook in self._hooks() if self._concerns(hook, write)]
        if not hooks:
            return write.new
        obj, changed_after = write.new, -1
        for index, hook in enumerate(hooks):
            after = await self._ask(hook, write, obj, warnings)
            if after != obj:
                obj, changed_after = after, index
        for hook in hooks[:changed_after] if changed_after > 0 else []:
            if hook["reinvocationPolicy"] == "IfNeeded":
                obj = await self._ask(hook, write, obj, warnings)
        return obj

    async def close(self) -> None:
        """Close the connections that wait for the next call."""
        for clients in self._idle.values():
            for client in clients:
                await client.close()
        self._idle.clear()

    def _hooks(self) -> list[Object]:
        configurations = self._store.list("mutatingwebhookconfigurations")
        return [hook for each in configurations for hook in each.get("webhooks", ())]

    def _concerns(self, hook: Object, write: PendingWrite) -> bool:
        if write.resource.group == "admissionregistration.k8s.io":
            return False
        if not any(_matches(rule, write) for rule in hook.get("rules", ())):
            return False
        labels = [each["metadata"].get("labels", {}) for each in (write.new, write.old) if each is not None]
        if not any(selects(hook["objectSelector"], each) for each in labels):
            return False
        namespace = write.new["metadata"].get("namespace", "")
        if write.resource.plural == "namespaces":
            return selects(hook["namespaceSelector"], labels[0])
        found = self._store.get("namespaces", ("", namespace)) if namespace else None
        return found is None or selects(hook["namespaceSelector"], found["metadata"].get("labels", {}))

    async def _ask(self, hook: Object, write: PendingWrite, obj: Object, warnings: list[str]) -> Object:
        uid = self._ids()
        try:
            answer = await self._call(hook, _review(uid, write, obj))
            response = _response(answer, uid)
            patch = _patch(response)
        except (_Unusable, HttpError) as why:
            if hook["failurePolicy"] == "Ignore":
                return obj
            raise errors.internal(f'failed calling webhook "{hook["name"]}": {why}') from why
        warnings.extend(response.get("warnings") or [])
        if not response.get("allowed"):
            raise _refusal(hook["name"], response)
        if not patch:
            return obj
        try:
            patched: Object = jsonpatch.apply_patch(obj, patch)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError) as why:
            raise errors.internal(str(why)) from why
        return patched

    async def _call(self, hook: Object, review: Object) -> Any:
        client = self._client(hook)
        path = _path(hook["clientConfig"])
        query = f"{path}{'&' if '?' in path else '?'}timeout={hook['timeoutSeconds']}s"
        response = await client.request("POST", query, body=msgspec.json.encode(review))
        self._idle.setdefault(_identity(hook), []).append(client)
        if response.status != HTTPStatus.OK:
            raise _Unusable(f"failed to call webhook: the server answered {response.status}")
        try:
            return msgspec.json.decode(response.body)
        except msgspec.DecodeError as why:
            raise _Unusable(f"failed to call webhook: couldn't decode the answer: {why}") from why

    def _client(self, hook: Object) -> HttpClient:
        idle = self._idle.get(_identity(hook))
        if idle:
            return idle.pop()
        config = hook["clientConfig"]
        origin, name = config.get("url", ""), ""
        if "service" in config:
            service = config["service"]
            name = f"{service['name']}.{service['namespace']}.svc"
            address = self._services.get(f"{service['namespace']}/{service['name']}")
            if address is None:
                raise _Unusable(
                    f'failed to call webhook: Post "https://{name}:{service["port"]}": no endpoints'
                )
            origin = f"https://{address}"
        return HttpClient(origin, timeout=hook["timeoutSeconds"], tls=_trust(config), server_name=name)


def _matches(rule: Object, write: PendingWrite) -> bool:
    resource = write.resource
    path = f"{resource.plural}/{write.subresource}" if write.subresource else resource.plural
    wild = "*/*" if not write.subresource else f"*/{write.subresource}"
    names = {path, wild, "*/*"} | ({"*"} if not write.subresource else {f"{resource.plural}/*"})
    scope = "Namespaced" if resource.namespaced else "Cluster"
    return (
        bool({write.operation, "*"} & set(rule.get("operations", ())))
        and bool({resource.group, "*"} & set(rule.get("apiGroups", ())))
        and bool({"v1", "*"} & set(rule.get("apiVersions", ())))
        and bool(names & set(rule.get("resources", ())))
        and rule.get("scope", "*") in {"*", scope}
    )


def _review(uid: str, write: PendingWrite, obj: Object) -> Object:
    resource, metadata = write.resource, obj["metadata"]
    kind = {"group": resource.group, "version": "v1", "kind": resource.kind}
    plural = {"group": resource.group, "version": "v1", "resource": resource.plural}
    generated = write.operation == "CREATE" and "generateName" in metadata
    request = {
        "uid": uid,
        "kind": kind,
        "resource": plural,
        "requestKind": kind,
        "requestResource": plural,
        "name": "" if generated else metadata["name"],
        "namespace": metadata.get("namespace", ""),
        "operation": write.operation,
        "userInfo": dict(write.user),
        "object": obj,
        "oldObject": write.old,
        "dryRun": write.dry_run,
        "options": {"kind": f"{write.operation.title()}Options", "apiVersion": "meta.k8s.io/v1"},
    }
    for name in ("name", "namespace"):
        if not request[name]:
            del request[name]
    if write.subresource:
        request |= {"subResource": write.subresource, "requestSubResource": write.subresource}
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}


def _response(answer: Any, uid: str) -> Object:
    if not isinstance(answer, dict) or not isinstance(answer.get("response"), dict):
        raise _Unusable("webhook response was absent")
    if (answer.get("apiVersion"), answer.get("kind")) != _ANSWER_KIND:
        raise _Unusable(
            f"expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got "
            f"{answer.get('apiVersion')}, Kind={answer.get('kind')}"
        )
    response: Object = answer["response"]
    if response.get("uid") != uid:
        raise _Unusable(f'expected response.uid="{uid}", got "{response.get("uid")}"')
    return response


def _patch(response: Object) -> list[Object]:
    """The JSON patch of the answer, decoded; whether it applies is another question."""
    patch, kind = response.get("patch"), response.get("patchType")
    if not patch and kind is None:
        return []
    if not patch or kind is None:
        raise _Unusable("webhook response has only one of response.patch and response.patchType")
    if kind != "JSONPatch":
        raise _Unusable(f'invalid response.patchType "{kind}": only JSONPatch is known')
    try:
        operations = msgspec.json.decode(base64.b64decode(patch, validate=True), type=list[dict[str, Any]])
    except (binascii.Error, msgspec.MsgspecError, TypeError) as why:
        raise _Unusable(f"the patch cannot be decoded: {why}") from why
    return operations


def _refusal(name: str, response: Object) -> errors.ApiError:
    status = response.get("status") or {}
    message = f'admission webhook "{name}" denied the request'
    said = status.get("message") or status.get("reason")
    message = f"{message}: {said}" if said else f"{message} without explanation"
    return errors.ApiError(status.get("code") or 400, status.get("reason") or "", message)


def _identity(hook: Object) -> str:
    return msgspec.json.encode([hook["clientConfig"], hook["timeoutSeconds"]]).decode()


def _path(config: Object) -> str:
    if "service" in config:
        return str(config["service"].get("path", "/"))
    parts = urlsplit(config["url"])
    return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"


def _trust(config: Object) -> ssl.SSLContext | None:
    bundle = config.get("caBundle", "")
    if not bundle:
        return None
    try:
        return loopback_tls(base64.b64decode(bundle, validate=True))
    except (binascii.Error, ssl.SSLError, UnicodeDecodeError) as why:
        raise _Unusable(f"unable to load root certificates: {why}") from why
