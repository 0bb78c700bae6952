"""Service Quotas of Fargate: how many vCPUs may run at once.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.local.fargate.config import FargateConfig
from app.local.fargate.protocol.errors import AwsError
from app.local.fargate.protocol.wire import Json

_NAMES: Final = {
    "L-3032A538": "Fargate On-Demand vCPU resource count",
    "L-36FBB829": "Fargate Spot vCPU resource count",
}
_DEFAULT: Final = 6.0
_RAISED: Final = 100_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotasApi:
    """The quotas of one account and region."""

    config: FargateConfig

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """The operations that this part answers."""
        return {"GetServiceQuota": self.get, "GetAWSDefaultServiceQuota": self.default}

    def get(self, params: Json) -> Json:
        """The quota as it holds here, which somebody had raised where there is none in the configuration."""
        _known(params)
        held = self.config.vcpu_quota
        return {"Quota": _quota(params["QuotaCode"], _RAISED if held is None else held)}

    def default(self, params: Json) -> Json:
        """What AWS gives every account."""
        _known(params)
        return {"Quota": _quota(params["QuotaCode"], _DEFAULT)}


def _known(params: Json) -> None:
    if params["ServiceCode"] != "fargate" or params["QuotaCode"] not in _NAMES:
        raise AwsError("NoSuchResourceException", "The request failed because the quota does not exist.")


def _quota(code: str, value: float) -> Json:
    return {
        "ServiceCode": "fargate",
        "ServiceName": "AWS Fargate",
        "QuotaCode": code,
        "QuotaName": _NAMES[code],
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
