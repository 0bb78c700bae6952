"""What a pod refers to, told from its spec alone, so that it can be gathered before the translation."""

from collections.abc import Iterable

from app.bridge.config import TaskSettings
from app.bridge.translation.containers.wrapping import reads_image
from app.bridge.translation.environment.service_links import are_linked
from app.bridge.translation.injected import brought, containers_of
from app.bridge.translation.material import Needs, TokenWish
from app.bridge.translation.volumes.projection import projected
from app.model.container import Container, KeyRef, ObjectRef
from app.model.pod import Pod
from app.model.volume import ProjectedObject, Projection, Volume

_Reference = KeyRef | ObjectRef | ProjectedObject


def needs_of(pod: Pod, *, settings: TaskSettings) -> Needs:
    """Everything that the pod's environment and volumes name, and the images that the helper goes before.

    One place that cannot do without an object makes it mandatory. What is left out of the task
    (`app.bridge.translation.injected`) is not needed either.
    """
    containers = containers_of(pod)
    volumes = [volume for _, volume in brought(pod, settings=settings)]
    projections = [each for volume in volumes for each in _projections(volume)]
    maps = (*_maps_of(containers), *(each.config_map for each in projections))
    secrets = (*_secrets_of(containers), *(each.secret for each in projections))
    return Needs(
        config_maps=_by_name(maps),
        secrets=_by_name(secrets),
        config_map_keys=_keys_by_name(maps),
        secret_keys=_keys_by_name(secrets),
        claims=frozenset(
            each.persistent_volume_claim.claim_name for each in volumes if each.persistent_volume_claim
        ),
        tokens=frozenset(
            TokenWish(token.audience, token.expiration_seconds)
            for each in projections
            if (token := each.service_account_token) is not None
        ),
        images=frozenset(each.image for each in containers if _asks(each, pod=pod, settings=settings)),
        services=are_linked(pod),
    )


def _by_name(references: Iterable[_Reference | None]) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for each in references:
        if each is not None:
            found[each.name] = found.get(each.name, True) and each.optional
    return dict(sorted(found.items()))


def _keys_by_name(references: Iterable[_Reference | None]) -> dict[str, frozenset[str]]:
    """The keys that are used of each object, unless one place uses it whole."""
    found: dict[str, frozenset[str]] = {}
    whole: set[str] = set()
    for each in references:
        keys = _keys_of(each)
        if each is not None and keys:
            found[each.name] = found.get(each.name, frozenset()) | keys
        elif each is not None:
            whole.add(each.name)
    return {name: keys for name, keys in sorted(found.items()) if name not in whole}


def _keys_of(reference: _Reference | None) -> frozenset[str]:
    """The keys that one place names; none where it means all of them."""
    match reference:
        case KeyRef():
            return frozenset({reference.key})
        case ProjectedObject():
            return frozenset(item.key for item in reference.items)
        case _:
            return frozenset()


def _maps_of(containers: Iterable[Container]) -> Iterable[_Reference | None]:
    for each in containers:
        yield from (source.config_map_ref for source in each.env_from)
        yield from (variable.value_from.config_map_key_ref for variable in each.env if variable.value_from)


def _secrets_of(containers: Iterable[Container]) -> Iterable[_Reference | None]:
    for each in containers:
        yield from (source.secret_ref for source in each.env_from)
        yield from (variable.value_from.secret_key_ref for variable in each.env if variable.value_from)


def _projections(volume: Volume) -> tuple[Projection, ...]:
    whole = projected(volume)
    return whole.sources if whole is not None else ()


def _asks(container: Container, *, pod: Pod, settings: TaskSettings) -> bool:
    """Whether the image's configuration is needed; so it is for a ConfigMap that may be large."""
    if reads_image(container, pod=pod, settings=settings):
        return True
    texts = (*container.args, *(each.value for each in container.env))
    return (
        not container.command
        and any(True for each in _maps_of([container]) if each is not None)
        and any("$(" in text for text in texts)
    )
