"""What this folder's tests build on: material, settings, and the parts of a translation."""

from typing import Any

from app.bridge.config import TaskSettings
from app.bridge.translation.material import Material, SealedToken, TokenWish
from app.model.image import ImageConfig
from app.model.objects import ServiceAccount
from tests.builders import NOON

IMAGE = "registry.example/app:1"
"""The image of `tests.builders.a_container`."""

HELPER_IMAGE = "registry.example/spillway-helper:1"


def settings(**fields: Any) -> TaskSettings:
    """A bridge's settings; with a helper image unless told otherwise."""
    defaults: dict[str, Any] = {
        "region": "eu-west-1",
        "log_group": "/g",
        "log_mode": "non-blocking",
        "execution_role_arn": "arn:aws:iam::123456789012:role/exec",
        "task_role_arn": "arn:aws:iam::123456789012:role/task",
        "helper_image": HELPER_IMAGE,
    }
    return TaskSettings(**{**defaults, **fields})


def an_image(**fields: Any) -> ImageConfig:
    """An image's configuration: `/app` without arguments, as user 0."""
    defaults: dict[str, Any] = {
        "digest": "sha256:" + "a" * 64,
        "entry_point": ("/app",),
        "command": (),
        "user": "",
        "working_directory": "",
        "environment": {},
        "architecture": "amd64",
        "os": "linux",
    }
    return ImageConfig(**{**defaults, **fields})


def a_material(**fields: Any) -> Material:
    """What was found for a pod; the configuration of `IMAGE` unless told otherwise."""
    return Material(**{"images": {IMAGE: an_image()}, **fields})


def with_tokens(*wishes: TokenWish, sealed: str = "c2VhbGVk") -> dict[str, Any]:
    """The fields of a material that has these tokens, by default the one of `TokenWish("", 3600)`."""
    token = SealedToken(sealed, NOON)
    return {
        "account": ServiceAccount(),
        "seal_key": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:spillway/seal:key::",
        "tokens": dict.fromkeys(wishes or (TokenWish("", 3600),), token),
    }
