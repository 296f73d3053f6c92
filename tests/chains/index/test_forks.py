"""The indexer on a chain that does not behave: forks of any depth, also while it reads, and faults of the endpoint."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mercato.chains import Chain, Log, LogQuery
from mercato.chains.errors import BadAnswer, Unreachable
from mercato.chains.model import Watch
from mercato.chains.service import Indexer
from mercato.chains.testing import Interrupted, faults
from mercato.store import Store, metadata
from tests.chains.index.conftest import ALL, PACE, World, agrees, indexer, told
from tests.profiles import PROFILE

ACTS = ("speak", "together", "quiet", "mark", "fork", "step", "sync")


@dataclass
class Story:
    """What happens to a chain while it is indexed."""

    world: World
    index: Indexer
    marks: list[int] = field(default_factory=list)

    def play(self, act: str, size: int) -> None:
        acts: dict[str, Callable[[], object]] = {
            "speak": lambda: self.world.speak(size, dollar=size % 2),
            "together": lambda: self.world.speak_together(size),
            "quiet": lambda: self.world.chain.mine(size),
            "mark": lambda: self.marks.append(self.world.chain.snapshot()),
            "fork": self.fork,
            "step": self.index.step,
            "sync": self.index.sync,
        }
        acts[act]()

    def fork(self) -> None:
        """Goes back to the newest mark, if there is one; the next blocks lie at other times, so they are others."""
        for mark in self.marks[-1:]:
            self.world.chain.revert(mark)
            self.world.chain.mine(1, seconds=11)
        del self.marks[-1:]


def emptied(store: Store) -> None:
    with store.transaction() as tx:
        for table in reversed(metadata.sorted_tables):
            tx.execute(table.delete())


STORIES = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 9)), max_size=20)
#: A story takes a second where the machine is busy.
STORY = settings(
    max_examples={"nightly": 300}.get(PROFILE, 30), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.timeout(1200)
@settings(STORY)
@given(STORIES)
def test_after_any_story_the_index_holds_the_chains_logs_and_events_add_up(
    store: Store, world: World, story: list[tuple[str, int]]
) -> None:
    emptied(store)
    start = world.chain.snapshot()
    told_of = Story(world, indexer(store, world.chain))
    told_of.index.watch(*world.watches())
    for act, size in story:
        told_of.play(act, size)
    told_of.index.sync()

    agrees(store, told_of.index, world.chain.logs(ALL))
    for mark in (*told_of.marks[::-1], start):
        world.chain.revert(mark)


@pytest.mark.timeout(1200)
@settings(STORY)
@given(STORIES, st.integers(0, 2**32), st.integers(0, 40))
def test_faults_of_the_endpoint_change_nothing(
    store: Store, world: World, story: list[tuple[str, int]], seed: int, percent: int
) -> None:
    emptied(store)
    start = world.chain.snapshot()
    faulty = Interrupted(world.chain, faults(random.Random(seed), percent))
    told_of = Story(world, Patient(indexer(store, faulty)))  # type: ignore[arg-type]  # it does what an indexer does
    indexer(store, world.chain).watch(*world.watches())
    for act, size in story:
        told_of.play(act, size)
    told_of.index.sync()

    agrees(store, indexer(store, world.chain), world.chain.logs(ALL))
    for mark in (*told_of.marks[::-1], start):
        world.chain.revert(mark)


@dataclass
class Patient:
    """Asks again whenever the indexer gives up, as a job does."""

    index: Indexer

    def step(self) -> int:
        return self._again(self.index.step)

    def sync(self) -> int:
        return self._again(self.index.sync)

    def _again(self, work: Callable[[], int]) -> int:
        for _ in range(1000):
            try:
                return work()
            except (BadAnswer, Unreachable):
                continue
        raise AssertionError("it never came through")


@dataclass
class Turning:
    """Replaces the last blocks between any two questions, by chance, some times."""

    world: World
    chance: random.Random
    mark: int
    left: int = 30

    def __call__(self, question: str) -> None:
        if self.left and self.chance.random() < 0.25:
            self.left -= 1
            self.world.chain.revert(self.mark)
            self.mark = self.world.chain.snapshot()
            self.world.speak(self.chance.randrange(1, 6), dollar=self.chance.randrange(2))
            self.world.chain.mine(1, seconds=self.chance.randrange(2, 90))


class Narrow(Interrupted):
    """An endpoint that answers for two blocks at most, and remembers what it was asked for."""

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain, lambda question: None)
        self.widths: list[int] = []

    def logs(self, query: LogQuery) -> tuple[Log, ...]:
        self.widths.append(query.last - query.first + 1)
        if self.widths[-1] > 2:
            raise BadAnswer("range was too wide", hint="at most 2 blocks")
        return super().logs(query)


@pytest.mark.parametrize("seed", range(12))
def test_forks_in_the_middle_of_reading_leave_no_trace(store: Store, world: World, seed: int) -> None:
    """Each question may find that the last blocks were replaced since the one before."""
    chain = world.chain
    world.speak(3)
    turn = Turning(world, random.Random(seed), chain.snapshot())
    index = indexer(store, Interrupted(chain, turn))
    index.watch(*world.watches())
    for _ in range(60):
        Patient(index).step()
    calm = indexer(store, chain)
    calm.sync()

    agrees(store, calm, chain.logs(ALL))


def test_a_fork_below_everything_that_is_kept_is_undone(store: Store, world: World) -> None:
    chain = world.chain
    mark = chain.snapshot()
    world.speak(4)
    chain.mine(PACE.window * 5)
    index = indexer(store, chain)
    index.watch(*world.watches())
    index.sync()
    chain.revert(mark)
    chain.mine(PACE.window * 5, seconds=9)
    world.speak(2)
    index.sync()

    agrees(store, index, chain.logs(ALL))
    assert told(store)[1][0]["kept"] == -1


def test_a_chain_that_became_shorter_is_followed(store: Store, world: World) -> None:
    mark = world.chain.snapshot()
    world.speak(5)
    index = indexer(store, world.chain)
    index.watch(*world.watches())
    index.sync()
    world.chain.revert(mark)
    index.sync()

    agrees(store, index, ())
    assert index.read_to("one") == world.chain.block().number


def test_a_watch_that_starts_above_a_fork_starts_there_again(store: Store, world: World) -> None:
    mark = world.chain.snapshot()
    world.speak(5)
    index = indexer(store, world.chain)
    index.watch(Watch("late", 6, world.watches()[0].addresses))
    index.sync()
    world.chain.revert(mark)
    world.speak(5)
    world.chain.mine(1, seconds=5)
    index.sync()

    assert index.logs(ALL) == world.chain.logs(ALL)[3:]


def test_an_endpoint_that_never_answers_is_given_up(store: Store, world: World) -> None:
    index = indexer(store, Interrupted(world.chain, faults(random.Random(1), 100)))
    index.watch(*world.watches())

    with pytest.raises((Unreachable, BadAnswer), match="refused on purpose"):
        index.sync()


def test_an_endpoint_that_refuses_wide_ranges_is_asked_for_narrow_ones(store: Store, world: World) -> None:
    world.speak(20)
    narrow = Narrow(world.chain)
    index = indexer(store, narrow)
    index.watch(*world.watches())
    index.sync()

    agrees(store, index, world.chain.logs(ALL))
    assert max(narrow.widths) <= PACE.most


def test_an_indexer_that_was_overtaken_while_it_read_writes_nothing(store: Store, world: World) -> None:
    other = indexer(store, world.chain)

    def overtake(question: str) -> None:
        for _ in range(question == "logs"):
            other.step()

    overtaken = indexer(store, Interrupted(world.chain, overtake))
    other.watch(*world.watches())
    world.speak(20)
    overtaken.sync()

    agrees(store, other, world.chain.logs(ALL))


def test_indexers_of_many_processes_share_the_work(store: Store, world: World) -> None:
    first = indexer(store, world.chain)
    first.watch(*world.watches())
    mark = world.chain.snapshot()
    world.speak(30)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: indexer(store, world.chain).sync(), range(4)))
    world.chain.revert(mark)
    world.speak(25, dollar=1)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: indexer(store, world.chain).sync(), range(4)))

    agrees(store, first, world.chain.logs(ALL))
    assert len(told(store)[1]) == 1
