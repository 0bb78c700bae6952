"""Two local stacks at once."""

import ipaddress

import pytest

from app.local import loopback
from app.local.fargate.config import FargateConfig, Subnet
from app.wiring.local.addresses import with_own_addresses
from app.wiring.local.options import LocalStackError


def test_two_stacks_share_no_address() -> None:
    with with_own_addresses(FargateConfig()) as one, with_own_addresses(FargateConfig()) as other:
        first, second = (ipaddress.ip_network(each.subnets[0].cidr) for each in (one, other))
    assert not first.overlaps(second)


def test_all_but_the_addresses_stays() -> None:
    with with_own_addresses(FargateConfig(account="1")) as found:
        assert (found.account, found.subnets[0].id) == ("1", "subnet-local")


def test_chosen_subnets_stay_as_they_are() -> None:
    config = FargateConfig(subnets=(Subnet(id="mine", cidr="127.9.0.0/24"),))
    with with_own_addresses(config) as found:
        assert found == config


def test_no_block_left_ends_the_start_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "_BLOCKS", range(0))
    with pytest.raises(LocalStackError, match="end another local stack"), with_own_addresses(FargateConfig()):
        raise AssertionError
