"""Settings: environment `SPILLWAY_*` and flags of the same names, as frozen values that are valid or refused.

AWS credentials, region and endpoints come through boto3's own chain (`AWS_*`), the cluster through
`--kubeconfig`, `$KUBECONFIG` or the in-cluster account. `docs/settings.md` is generated from here.

Never here: what a setting does.
"""

from app.settings.bridge import BridgeSettings
from app.settings.common import Common
from app.settings.extender import ExtenderSettings
from app.settings.loading import PROGRAMS, SettingsError, flag, load, variable
from app.settings.nodes import nodes_of
from app.settings.webhook import WebhookSettings

__all__ = [
    "PROGRAMS",
    "BridgeSettings",
    "Common",
    "ExtenderSettings",
    "SettingsError",
    "WebhookSettings",
    "flag",
    "load",
    "nodes_of",
    "variable",
]
