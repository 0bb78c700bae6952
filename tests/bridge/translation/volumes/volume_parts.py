"""Volumes for tests: a pod with one container, what was found for it, and the plan in words."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from app.bridge.translation.material import Material, SealedToken, StoredKey, StoredObject, TokenWish, Unready
from app.bridge.translation.volumes.brought import Brought, bring
from app.model.objects import ConfigMap, ServiceAccount
from app.model.reason import Reason
from tests.bridge.translation.builders import a_material, an_image, settings
from tests.builders import a_container, a_pod

EXPIRY = datetime(2026, 1, 1, 13, 0, tzinfo=UTC)

FOUND: Material = a_material(
    config_maps={
        "app": ConfigMap(data={"app.conf": "a=1", "log": "debug"}, binary_data={"logo": b"\xff"}),
        "kube-root-ca.crt": ConfigMap(data={"ca.crt": "CA"}),
    },
    stored_maps={"big": StoredObject(keys={"text": StoredKey("arn:big:text")})},
    secrets={
        "tls": StoredObject(
            keys={"tls.key": StoredKey("arn:tls:key"), "jks": StoredKey("arn:tls:jks", encoded=True)}
        )
    },
    tokens={
        TokenWish("", 3607): SealedToken("SEALED", EXPIRY),
        TokenWish("vault", 600): SealedToken("OTHER", EXPIRY),
    },
    seal_key="arn:seal",
    account=ServiceAccount(),
)


def mounted(name: str, path: str = "/data", **fields: Any) -> dict[str, Any]:
    """A mount."""
    return {"name": name, "mountPath": path, **fields}


def brought(
    volumes: Sequence[dict[str, Any]],
    mounts: Sequence[dict[str, Any]] = (),
    *,
    material: Material = FOUND,
    name: str = "web-1",
    operator: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
    **spec: Any,
) -> Brought | Unready | tuple[Reason, ...]:
    """What becomes of the volumes in a pod whose container has these mounts."""
    main = a_container(volumeMounts=list(mounts), **(container or {}))
    spec.setdefault("containers", [main])
    pod = a_pod(name, volumes=list(volumes), **spec)
    return bring(pod, material=material, settings=settings(**(operator or {})))


def well(answer: Brought | Unready | tuple[Reason, ...]) -> Brought:
    """The answer, which has to be one that can be launched."""
    assert isinstance(answer, Brought), answer
    return answer


def codes(answer: Brought | Unready | tuple[Reason, ...]) -> list[tuple[str, str]]:
    """Code and field of each reason."""
    assert isinstance(answer, tuple), answer
    return [(reason.code, reason.field) for reason in answer]


def spoken(lines: Sequence[str]) -> list[str]:
    """Lines of a plan with the paths and texts in them decoded."""
    return [" ".join(_decoded(word, place) for place, word in enumerate(line.split(" "))) for line in lines]


def _decoded(word: str, place: int) -> str:
    if word.startswith("text:"):
        return f"text:{_plain(word.removeprefix('text:'))}"
    return _plain(word) if place == _PATH and not word.isdecimal() else word


_PATH = 2


def _plain(word: str) -> str:
    return "" if word == "-" else base64.b64decode(word).decode("utf-8", "backslashreplace")


ROOT_IMAGE = an_image(user="root")
OTHER_IMAGE = an_image(user="app:app")
