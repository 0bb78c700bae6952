"""Whatever happens in whatever order: what a pod was given stays for as long as its task may read it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.bridge.material.vault_keeper import UNUSED_SECONDS, KeeperConfig, VaultKeeper
from app.bridge.translation.material import Material, Needs
from app.model.pod import Pod
from tests.bridge.material.fakes import PREFIX, Outskirts, a_secret
from tests.builders import a_pod
from tests.fakes import FakeWatched

Pods = FakeWatched[Pod]
NEEDS = Needs(secrets={"db": False})
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("launch"), st.integers(0, 3)),
        st.tuples(st.just("drop"), st.integers(0, 3)),
        st.tuples(st.just("rotate"), st.just(0)),
        st.tuples(st.just("tidy"), st.integers(1, 8)),
        st.tuples(st.just("wait"), st.integers(1, 1200)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("lose"), st.just(0)),
    ),
    max_size=40,
)


class Upkeep:
    """A bridge's vault over a long time, and when each pod was last given something by whom."""

    def __init__(self) -> None:
        self.around = Outskirts()
        self.pods: Pods = FakeWatched()
        self.version = 0
        self.given: dict[str, tuple[float, int, str]] = {}
        self.process = 0
        self.leads = True

    async def play(self, steps: Sequence[tuple[str, int]]) -> None:
        await self.rotate(0)
        await self.restart(0)
        for word, number in steps:
            await getattr(self, word)(number)
            self.check()

    async def launch(self, number: int) -> None:
        pod = a_pod(f"web-{number}", uid=f"u{number}")
        self.pods.put(pod)
        found = await self.around.gatherer.gather(pod, NEEDS, namespace={})
        assert isinstance(found, Material)
        value_from = found.secrets["db"].keys["password"].value_from
        self.given[pod.key] = (
            self.around.clock.steady(),
            self.process,
            value_from.removesuffix(":password::"),
        )

    async def drop(self, number: int) -> None:
        key = f"shop/web-{number}"
        if self.pods.get(key) is not None:
            self.pods.drop(key)

    async def rotate(self, _: int) -> None:
        self.version += 1
        self.around.sources.put(a_secret("db", version=str(self.version)))

    async def tidy(self, rounds: int) -> None:
        for _ in range(rounds):
            await self.keeper.tidy()
            self.check()
            await self.around.clock.advance(300)

    async def wait(self, seconds: int) -> None:
        await self.around.clock.advance(seconds)

    async def restart(self, _: int) -> None:
        self.process += 1
        self.around.gatherer = self.around.start()
        self.keeper = VaultKeeper(
            self.around.vault,
            self.around.gatherer.shelf,
            pods=self.pods,
            clock=self.around.clock,
            config=KeeperConfig(prefix=PREFIX),
            is_ours=self._is_ours,
        )

    async def lose(self, _: int) -> None:
        self.leads = not self.leads

    async def _is_ours(self) -> bool:
        return self.leads

    def check(self) -> None:
        """Young gifts, and those of live pods by this very process, are all there."""
        arns = {kept.arn for kept, _ in self.around.vault.entries.values()}
        now = self.around.clock.steady()
        for key, (at, process, arn) in self.given.items():
            is_young = now - at < UNUSED_SECONDS
            is_kept = process == self.process and self.pods.get(key) is not None
            assert arn in arns or not (is_young or is_kept), key


@settings(max_examples=200, deadline=timedelta(seconds=5))
@given(STEPS)
def test_what_a_pod_was_given_stays_while_its_task_may_read_it(steps: list[tuple[str, int]]) -> None:
    asyncio.run(Upkeep().play(steps))
