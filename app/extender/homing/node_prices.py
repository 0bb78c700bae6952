"""What an hour of an EC2 node costs, where nobody said: list prices of common types, and a rate for the rest.

On-demand, Linux, us-east-1, in US dollars: the public price list as of 2026-01-19, as Karpenter's AWS
provider ships it (`pkg/providers/pricing/zz_generated.pricing_aws.go`). Other regions charge more; Savings
Plans and Spot less: whoever pays otherwise gives the price (`--node-hourly-price`).

https://aws.amazon.com/ec2/pricing/on-demand/
"""

from typing import Final

from app.model.offer import Arch, Rate
from app.model.resources import Resources

_LARGE: Final = {
    "c5": 0.085,
    "c5a": 0.077,
    "c6a": 0.0765,
    "c6g": 0.068,
    "c6i": 0.085,
    "c7a": 0.10264,
    "c7g": 0.0725,
    "c7i": 0.08925,
    "c7i-flex": 0.08479,
    "c8g": 0.07976,
    "c8i": 0.09371,
    "m5": 0.096,
    "m5a": 0.086,
    "m6a": 0.0864,
    "m6g": 0.077,
    "m6i": 0.096,
    "m7a": 0.11592,
    "m7g": 0.0816,
    "m7i": 0.1008,
    "m7i-flex": 0.09576,
    "m8g": 0.08976,
    "m8i": 0.10584,
    "r5": 0.126,
    "r5a": 0.113,
    "r6a": 0.1134,
    "r6g": 0.1008,
    "r6i": 0.126,
    "r7a": 0.15215,
    "r7g": 0.1071,
    "r7i": 0.1323,
    "r8g": 0.11782,
    "r8i": 0.13892,
    "t3": 0.0832,
    "t3a": 0.0752,
    "t4g": 0.0672,
}
"""An hour of each family's `large`."""

_TIMES: Final = {
    "medium": 0.5,
    "large": 1,
    "xlarge": 2,
    "2xlarge": 4,
    "4xlarge": 8,
    "8xlarge": 16,
    "12xlarge": 24,
    "16xlarge": 32,
    "24xlarge": 48,
}
"""What the other sizes cost of it: within a family the price follows the size."""

_RATES: Final[dict[Arch, Rate]] = {
    "amd64": Rate(0.03745, 0.0035875),
    "arm64": Rate(0.03048, 0.0028833),
}
"""What a vCPU and a GiB cost where c7i and r7i (c7g and r7g) differ in memory alone."""

_GIB: Final = 2**30


def listed(instance_type: str) -> float | None:
    """US dollars for an hour of the type, as `m7i.large`; None where the table has it not."""
    family, _, size = instance_type.partition(".")
    large, times = _LARGE.get(family), _TIMES.get(size)
    return None if large is None or times is None else round(large * times, 5)


def estimated(room: Resources, arch: Arch) -> float:
    """US dollars for an hour of a node with this cpu and memory, at what the list charges for either."""
    rate = _RATES[arch]
    return room.cpu_milli / 1000 * rate.vcpu_hour + room.memory / _GIB * rate.gib_hour
