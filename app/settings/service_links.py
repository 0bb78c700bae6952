"""The variables that Kubernetes sets for each Service of a namespace, which may bear names of ours.

A Service called `spillway` gives each pod beside it `SPILLWAY_PORT=tcp://10.96.0.10:443`; that is no port to
listen on, and nobody set it.
https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
"""

import re
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

_NAME: Final = re.compile(
    r"[A-Z0-9_]+_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_VALUE: Final = re.compile(r"(?:tcp|udp|sctp)://\S+:\d+")


def is_service_link(name: str, value: str) -> bool:
    """Whether a variable has the form of a service link: by its name, or `…_PORT` by its value."""
    if name.upper().endswith("_PORT") and _VALUE.fullmatch(value):
        return True
    return _NAME.fullmatch(name.upper()) is not None


class Environment(EnvSettingsSource):
    """Settings from the environment, without those that are service links."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one field's variable; None where it is not set."""
        value, key, is_complex = super().get_field_value(field, field_name)
        if isinstance(value, str) and is_service_link(f"{self.env_prefix}{field_name}", value):
            return None, key, is_complex
        return value, key, is_complex
