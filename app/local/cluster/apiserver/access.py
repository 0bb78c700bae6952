"""Who is asking, and whether that user may: everybody who is known may do everything that nobody denied.

The embedded cluster has no RBAC. A denial stands for the role that a user lacks, in tests and in trials.
https://kubernetes.io/docs/reference/access-authn-authz/authorization/
"""

from typing import Any, Final

import msgspec

from app.local.cluster.apiserver import errors
from app.local.cluster.apiserver.errors import ApiError, Cause
from app.local.cluster.apiserver.http_requests import Target
from app.local.cluster.apiserver.objects import Object
from app.local.cluster.apiserver.service_tokens import Users

ANY: Final = "*"
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch"}
_BOTH: Final = "cannot be specified in combination with resourceAttributes"


class Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to do; `resource` has its subresource behind it, as `pods/exec`."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """A user who may not do something; `*` is everybody, every verb, every resource."""

    user: str = ANY
    verb: str = ANY
    resource: str = ANY

    def forbids(self, user: str, attributes: Attributes) -> bool:
        """Whether it is this user's doing this."""
        pairs = ((self.user, user), (self.verb, attributes.verb), (self.resource, attributes.resource))
        return all(rule in {ANY, value} for rule, value in pairs)


class Access:
    """The tokens that let in, and the denials; `deny` may be called at any time."""

    def __init__(self, users: Users) -> None:
        self.users = users
        self._denials: list[Denial] = []

    def deny(self, denial: Denial) -> None:
        """From now on this is refused."""
        self._denials.append(denial)

    def user(self, authorization: str) -> Object:
        """The user of an Authorization header. Raises ApiError 401."""
        scheme, _, token = authorization.partition(" ")
        bearer = self.users.get(token.strip()) if scheme.lower() == "bearer" else None
        if bearer is None:
            raise errors.unauthorized()
        return dict(bearer.user)

    def is_allowed(self, user: str, attributes: Attributes) -> bool:
        """Whether nobody denied it."""
        return not any(denial.forbids(user, attributes) for denial in self._denials)

    def require(self, user: Object, attributes: Attributes) -> None:
        """Nothing where it is allowed. Raises ApiError 403."""
        if not self.is_allowed(user["username"], attributes):
            raise _forbidden(user["username"], attributes)

    def review(self, body: Any, *, asking: Object | None = None) -> Object:
        """The answer to a SubjectAccessReview, or to a SelfSubjectAccessReview where `asking` is who asks.

        Raises:
            ApiError: 422 where it does not say who, or what.
        """
        given = body if isinstance(body, dict) else {}
        spec = given.get("spec") or {}
        causes = _unclear(spec, is_own=asking is not None)
        if causes:
            kind = "SelfSubjectAccessReview" if asking is not None else "SubjectAccessReview"
            raise errors.invalid(f"{kind}.authorization.k8s.io", "", causes)
        user = asking["username"] if asking is not None else spec.get("user", "")
        status: Object = {"allowed": False}
        if self.is_allowed(user, _attributes(spec)):
            status = {"allowed": True, "reason": "the embedded cluster lets everybody do what nobody denied"}
        return {"metadata": {}} | given | {"status": status}


def attributes_of(method: str, target: Target, *, watches: bool = False) -> Attributes:
    """What an HTTP request for a resource wants to do."""
    resource = target.resource.plural
    verb = _VERBS.get(method, "")
    if method == "GET":
        verb = "watch" if watches else "get" if target.name else "list"
    if method == "DELETE":
        verb = "delete" if target.name else "deletecollection"
    return Attributes(
        verb=verb,
        resource=f"{resource}/{target.subresource}" if target.subresource else resource,
        group=target.resource.group,
        namespace=target.namespace,
        name=target.name,
    )


def _attributes(spec: Object) -> Attributes:
    wanted = spec.get("resourceAttributes")
    if wanted is None:
        path = spec["nonResourceAttributes"]
        return Attributes(verb=path.get("verb", ""), resource=path.get("path", ""))
    resource, subresource = wanted.get("resource", ""), wanted.get("subresource", "")
    return Attributes(
        verb=wanted.get("verb", ""),
        resource=f"{resource}/{subresource}" if subresource else resource,
        group=wanted.get("group", ""),
        namespace=wanted.get("namespace", ""),
        name=wanted.get("name", ""),
    )


def _unclear(spec: Object, *, is_own: bool) -> list[Cause]:
    has_resource, has_path = "resourceAttributes" in spec, "nonResourceAttributes" in spec
    found: list[Cause] = []
    if has_resource and has_path:
        found.append(errors.invalid_value("spec.nonResourceAttributes", "{}", _BOTH))
    if not has_resource and not has_path:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        found.append(errors.invalid_value("spec.resourceAttributes", "null", why))
    if not is_own and not spec.get("user") and not spec.get("groups"):
        found.append(
            errors.invalid_value("spec.user", '""', "at least one of user or group must be specified")
        )
    return found


def _forbidden(user: str, attributes: Attributes) -> ApiError:
    resource, _, _ = attributes.resource.partition("/")
    qualified = f"{resource}.{attributes.group}" if attributes.group else resource
    where = f'in the namespace "{attributes.namespace}"' if attributes.namespace else "at the cluster scope"
    what = (
        f'{qualified} "{attributes.name}" is forbidden: '
        if attributes.name
        else f"{qualified} is forbidden: "
    )
    what += f'User "{user}" cannot {attributes.verb} resource "{attributes.resource}" '
    what += f'in API group "{attributes.group}" {where}'
    details = {"name": attributes.name, "group": attributes.group, "kind": resource}
    shown = {key: value for key, value in details.items() if value}
    return ApiError(403, "Forbidden", what, details=shown)
