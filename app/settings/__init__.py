"""Settings: environment `SPILLWAY_*` and flags of the same names, as frozen values that are valid or refused.

AWS credentials, region and endpoints come through boto3's own chain (`AWS_*`), the cluster through
`--kubeconfig`, `$KUBECONFIG` or the in-cluster account. `docs/settings.md` is generated from here.

Never here: what a setting does.
"""

from app.model.setting import flag
from app.settings.bridge import BridgeSettings
from app.settings.common import Common
from app.settings.extender import ExtenderSettings
from app.settings.issuer import IssuerSettings
from app.settings.loading import PROGRAMS, SettingsError, load, variable
from app.settings.nodes import nodes_of
from app.settings.variables import known_variables, unknown_variables
from app.settings.webhook import WebhookSettings

__all__ = [
    "PROGRAMS",
    "BridgeSettings",
    "Common",
    "ExtenderSettings",
    "IssuerSettings",
    "SettingsError",
    "WebhookSettings",
    "flag",
    "known_variables",
    "load",
    "nodes_of",
    "unknown_variables",
    "variable",
]
