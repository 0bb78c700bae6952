import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from app.kubelet.client_certificate import common_name, is_certified, organizations

SHOWN = {
    "subject": (
        (("organizationName", "system:masters"),),
        (("organizationName", "ops"),),
        (("commonName", "kube-apiserver"),),
    )
}


class Connection(asyncio.Transport):
    """A connection whose client showed this."""

    def __init__(self, certificate: Mapping[str, Any] | None) -> None:
        super().__init__({"peercert": certificate})

    def is_closing(self) -> bool:
        return True


def a_writer(certificate: Mapping[str, Any] | None) -> asyncio.StreamWriter:
    protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
    return asyncio.StreamWriter(Connection(certificate), protocol, None, asyncio.get_running_loop())


async def test_a_certificate_tells_a_name_and_organizations() -> None:
    writer = a_writer(SHOWN)
    assert is_certified(writer)
    assert (common_name(writer), organizations(writer)) == ("kube-apiserver", ("system:masters", "ops"))


@pytest.mark.parametrize("certificate", [None, {}], ids=["none", "empty"])
async def test_who_shows_none_has_no_name(certificate: Mapping[str, Any] | None) -> None:
    writer = a_writer(certificate)
    assert not is_certified(writer)
    assert (common_name(writer), organizations(writer)) == ("", ())


async def test_of_several_common_names_the_last_counts() -> None:
    subject = ((("commonName", "first"),), (("commonName", "last"),))
    assert common_name(a_writer({"subject": subject})) == "last"
