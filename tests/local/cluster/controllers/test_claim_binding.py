"""Claims find their volumes."""

from typing import Any

import pytest

from app.local.cluster.apiserver.api import Object
from tests.local.cluster.controllers.fakes import World

MODES = ["ReadWriteMany"]
CSI = {"driver": "efs.csi.aws.com", "volumeHandle": "fs-1::fsap-2"}


async def a_volume(world: World, name: str = "pv", *, size: str = "5Gi", **spec: Any) -> None:
    body = {
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": size},
            "accessModes": MODES,
            "storageClassName": "efs",
            "csi": CSI,
            **spec,
        },
    }
    await world.api.create("persistentvolumes", "", body)


async def a_claim(world: World, name: str = "data", *, size: str = "1Gi", **spec: Any) -> None:
    resources = {"requests": {"storage": size}}
    body = {
        "metadata": {"name": name},
        "spec": {"accessModes": MODES, "resources": resources, "storageClassName": "efs", **spec},
    }
    await world.api.create("persistentvolumeclaims", "default", body)


async def bound(world: World, name: str = "data") -> Object:
    """The claim, after a while."""
    await world.clock.advance(2)
    return world.api.get("persistentvolumeclaims", "default", name)


async def test_a_claim_gets_the_volume_that_it_names(world: World) -> None:
    await a_volume(world, "other", size="1Gi")
    await a_volume(world, "pv")
    await a_claim(world, volumeName="pv")

    claim = await bound(world)
    volume = world.api.get("persistentvolumes", "", "pv")

    assert claim["status"] == {"phase": "Bound", "accessModes": MODES, "capacity": {"storage": "5Gi"}}
    assert claim["metadata"]["annotations"] == {"pv.kubernetes.io/bind-completed": "yes"}
    assert volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]
    assert volume["status"]["phase"] == "Bound"
    assert world.api.get("persistentvolumes", "", "other")["status"]["phase"] == "Available"


async def test_a_claim_that_names_none_gets_the_smallest_that_fits(world: World) -> None:
    await a_volume(world, "large", size="9Gi")
    await a_volume(world, "fits", size="2Gi")
    await a_volume(world, "small", size="500Mi")
    await a_claim(world)

    assert (await bound(world))["spec"]["volumeName"] == "fits"


async def test_a_volume_that_is_kept_for_a_claim_goes_to_it_only(world: World) -> None:
    await a_volume(world, "kept", size="1Gi", claimRef={"namespace": "default", "name": "mine"})
    await a_volume(world, "free", size="9Gi")
    await a_claim(world, "other")
    await a_claim(world, "mine")

    assert (await bound(world, "other"))["spec"]["volumeName"] == "free"
    assert (await bound(world, "mine"))["spec"]["volumeName"] == "kept"


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"storageClassName": "other"}, id="class"),
        pytest.param({"accessModes": ["ReadWriteOnce"]}, id="access"),
        pytest.param({"size": "6Gi"}, id="size"),
        pytest.param({"volumeName": "none"}, id="name"),
    ],
)
async def test_a_claim_that_nothing_fits_waits(world: World, spec: dict[str, Any]) -> None:
    await a_volume(world)
    await a_claim(world, **spec)

    assert (await bound(world))["status"] == {"phase": "Pending"}


async def test_of_two_claims_one_gets_the_volume(world: World) -> None:
    await a_volume(world)
    await a_claim(world, "one", volumeName="pv")
    await a_claim(world, "two", volumeName="pv")

    assert (await bound(world, "one"))["status"]["phase"] == "Bound"
    assert (await bound(world, "two"))["status"]["phase"] == "Pending"


async def test_the_volume_of_a_claim_that_is_gone_is_released_and_nobody_elses(world: World) -> None:
    await a_volume(world)
    await a_claim(world)
    await bound(world)
    await world.api.delete("persistentvolumeclaims", "default", "data")
    await a_claim(world)

    assert (await bound(world))["status"] == {"phase": "Pending"}
    assert world.api.get("persistentvolumes", "", "pv")["status"]["phase"] == "Released"
