"""IAM roles with one inline policy. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html."""

import json
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import unquote

from app.aws.account.calls import Calls
from app.aws.account.makers.maker import Maker, tag_list, tags_in
from app.aws.account.names import OWNER, REGION, Names
from app.aws.account.names import POLICY as OURS
from app.aws.account.plan import Found
from app.aws.account.wanted import BOUNDARY, POLICY, TRUST, Key, Resource
from app.model.wire import Json
from app.ports.failures import NotFound

_TOKENS: Final = ("Marker", "Marker")
_DESCRIPTION: Final = "Spillway: pods of a Kubernetes cluster on AWS Fargate"


class Roles(Maker):
    """Roles of the bridge, of ECS and of tasks."""

    def __init__(self, calls: Calls, names: Names) -> None:
        self._calls = calls
        self._names = names

    async def find(self, key: Key) -> Found | None:
        """As the port; a role that another region's installation has made is that one's."""
        try:
            role = (await self._calls.ask("iam", "get_role", RoleName=key.name))["Role"]
        except NotFound:
            return None
        more = [f"the inline policy {each}" for each in await self._inline(key.name) if each != OURS]
        attached = [f"the policy {each}" for each in await self._attached(key.name)]
        return Found(
            key=key,
            identifier=str(role["Arn"]),
            owner=self._owner(tags_in(role.get("Tags") or ())),
            aspects={
                TRUST: _document(role.get("AssumeRolePolicyDocument")),
                POLICY: await self._policy(key.name),
                BOUNDARY: (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", ""),
            },
            notes=(*more, *attached),
        )

    def _owner(self, tags: Mapping[str, str]) -> str:
        owner, region = tags.get(OWNER, ""), tags.get(REGION, self._names.region)
        return owner if not owner or region == self._names.region else f"{owner} of {region}"

    async def create(self, resource: Resource) -> Collection[str]:
        """As the port; IAM takes no role without a trust policy."""
        boundary = resource.aspects[BOUNDARY]
        await self._calls.ask(
            "iam",
            "create_role",
            settling=True,
            RoleName=resource.key.name,
            Description=_DESCRIPTION,
            AssumeRolePolicyDocument=json.dumps(resource.aspects[TRUST]),
            Tags=tag_list(self._names),
            **({"PermissionsBoundary": boundary} if boundary else {}),
        )
        return [POLICY]

    async def change(self, resource: Resource, aspects: Collection[str]) -> None:
        """As the port."""
        name, wanted = resource.key.name, resource.aspects
        if TRUST in aspects:
            trust = json.dumps(wanted[TRUST])
            await self._iam("update_assume_role_policy", RoleName=name, PolicyDocument=trust)
        if BOUNDARY in aspects:
            await self._bound(name, wanted[BOUNDARY])
        if POLICY in aspects:
            policy = json.dumps(wanted[POLICY])
            await self._iam("put_role_policy", RoleName=name, PolicyName=OURS, PolicyDocument=policy)

    async def _bound(self, name: str, boundary: str) -> None:
        if boundary:
            await self._iam("put_role_permissions_boundary", RoleName=name, PermissionsBoundary=boundary)
            return
        try:
            await self._calls.ask("iam", "delete_role_permissions_boundary", RoleName=name)
        except NotFound:
            return

    async def delete(self, found: Found) -> None:
        """As the port: IAM deletes no role that still has policies."""
        name = found.key.name
        try:
            for policy in await self._inline(name):
                await self._calls.ask("iam", "delete_role_policy", RoleName=name, PolicyName=policy)
            for arn in await self._attached(name):
                await self._calls.ask("iam", "detach_role_policy", RoleName=name, PolicyArn=arn)
            await self._iam("delete_role", RoleName=name)
        except NotFound:
            return

    async def _policy(self, name: str) -> Json:
        try:
            answer = await self._calls.ask("iam", "get_role_policy", RoleName=name, PolicyName=OURS)
        except NotFound:
            return None
        return _document(answer.get("PolicyDocument"))

    async def _inline(self, name: str) -> list[str]:
        listed = await self._calls.pages(
            "iam", "list_role_policies", "PolicyNames", tokens=_TOKENS, RoleName=name
        )
        return [str(each) for each in listed]

    async def _attached(self, name: str) -> list[str]:
        listed = await self._calls.pages(
            "iam", "list_attached_role_policies", "AttachedPolicies", tokens=_TOKENS, RoleName=name
        )
        return [str(each["PolicyArn"]) for each in listed]

    async def _iam(self, operation: str, **parameters: Json) -> None:
        """A change that comes moments after another, of the role itself or of a role that it names."""
        await self._calls.ask("iam", operation, settling=True, **parameters)


def _document(policy: Json) -> Json:
    return json.loads(unquote(policy)) if isinstance(policy, str) else policy
