"""The indexer on a chain that behaves: exactly what is watched, once, with readers as on the chain itself."""

from __future__ import annotations

import pytest

from mercato.chains import Hash, Log, LogQuery
from mercato.chains.model import Watch
from mercato.chains.service import Indexer, Pace, divide, union
from mercato.chains.tables import Head, Progress
from mercato.chains.testing import local
from mercato.core.errors import InvalidInput, NotFound
from mercato.store import Store
from tests.chains.index.conftest import ALL, World, agrees, indexer, told


def test_logs_that_are_watched_are_kept_once_and_in_order(store: Store, world: World) -> None:
    world.speak(7)
    world.speak(3, dollar=1)
    index = indexer(store, world.chain)
    index.watch(world.watches()[0])
    steps = index.sync()

    agrees(store, index, world.chain.logs(LogQuery(0, 99, frozenset({world.dollars[0].address}))))
    assert steps > 3
    assert index.read_to("one") == 12
    assert index.sync() == 0


def test_readers_ask_as_they_ask_the_chain(store: Store, world: World) -> None:
    world.speak(3)
    world.speak(4, dollar=1)
    world.speak_together(5)
    index = indexer(store, world.chain)
    index.watch(*world.watches())
    index.sync()
    (first, *_, last) = index.logs(ALL)
    queries = [
        LogQuery(4, 6),
        LogQuery(0, 99, frozenset({world.dollars[1].address})),
        LogQuery(0, 99, frozenset({first.address}), (frozenset({first.topics[0]}),)),
        LogQuery(0, 99, frozenset(), (frozenset(), frozenset({last.topics[1]}))),
        LogQuery(0, 99, frozenset(), (frozenset(), frozenset(), frozenset(), frozenset())),
        LogQuery(0, 99, frozenset(), (frozenset({b"\x01" * 32}),)),
    ]

    for query in queries:
        assert index.logs(query) == world.chain.logs(query)
    assert index.time(last.block) == world.chain.block(last.block).time


def test_readers_go_on_where_they_stopped(store: Store, world: World) -> None:
    world.speak(2)
    world.speak_together(5)
    index = indexer(store, world.chain)
    index.watch(*world.watches())
    index.sync()
    found: list[Log] = []
    after = (-1, -1)
    while page := index.logs(ALL, after=after, limit=3):
        found += page
        after = (page[-1].block, page[-1].index)

    assert tuple(found) == world.chain.logs(ALL)


def test_a_later_watch_brings_what_it_missed_and_doubles_nothing(store: Store, world: World) -> None:
    world.speak(5)
    world.speak(5, dollar=1)
    index = indexer(store, world.chain)
    one, two = world.watches()
    index.watch(one)
    index.sync()
    index.watch(two)
    index.sync()
    agrees(store, index, world.chain.logs(ALL))

    index.watch(one, two, Watch("both", 2, one.addresses | two.addresses))
    index.sync()

    assert index.logs(ALL) == world.chain.logs(ALL)
    assert index.read_to("both") == index.read_to("one") == world.chain.block().number


def test_a_watch_of_topics_takes_them_from_any_contract(store: Store, world: World) -> None:
    world.speak(2)
    world.speak(2, dollar=1)
    topic = world.dollars[0].interface.topic("Transfer")
    index = indexer(store, world.chain)
    index.watch(
        Watch("transfers", 0, topics=(frozenset({topic}),)), Watch("nothing", 0, topics=(frozenset({b"?" * 32}),))
    )
    index.sync()

    agrees(store, index, world.chain.logs(ALL))


def test_what_is_no_longer_watched_is_not_read_and_stays(store: Store, world: World) -> None:
    index = indexer(store, world.chain)
    index.watch(*world.watches())
    world.speak(2)
    index.sync()
    index.unwatch("one")
    world.speak(2)
    index.sync()

    assert len(index.logs(ALL)) == 2
    with pytest.raises(NotFound, match="watch was 'one'"):
        index.read_to("one")


def test_the_newest_blocks_are_left_alone_where_that_is_asked(store: Store, world: World) -> None:
    index = indexer(store, world.chain, Pace(confirmations=2))
    index.watch(*world.watches())
    world.speak(5)
    index.sync()

    assert index.read_to("one") == world.chain.block().number - 2
    assert len(index.logs(ALL)) == 3


def test_heads_are_kept_near_the_tip_and_where_logs_are(store: Store, world: World) -> None:
    index = indexer(store, world.chain)
    index.watch(*world.watches())
    world.speak(1)
    world.chain.mine(20)
    index.sync()
    world.chain.mine(5)
    index.sync()
    newest = world.chain.block().number

    assert index.time(3) == world.chain.block(3).time
    assert [index.time(number) for number in range(newest - 3, newest + 1)] == [
        world.chain.block(number).time for number in range(newest - 3, newest + 1)
    ]
    with pytest.raises(NotFound, match="block was 10"):
        index.time(10)


def test_events_tell_of_ranges_with_logs_only(store: Store, world: World) -> None:
    index = indexer(store, world.chain)
    index.watch(*world.watches())
    world.chain.mine(10)
    index.sync()
    assert told(store) == ([], [])

    world.speak(1)
    index.sync()
    (one,), none = told(store)
    assert (one["chain"], one["last"], one["logs"], none) == ("eip155:31337", world.chain.block().number, 1, [])


def test_two_chains_in_one_store_do_not_meet(store: Store, world: World) -> None:
    index, other = indexer(store, world.chain), indexer(store, local())
    index.watch(*world.watches())
    other.watch(*world.watches())
    world.speak(2)
    other.chain.mine(3)  # type: ignore[attr-defined]  # it is an embedded one
    index.sync()

    assert len(index.logs(ALL)) == 2


def test_of_two_indexers_the_second_starts_over(store: Store, world: World) -> None:
    one, two = indexer(store, world.chain), indexer(store, world.chain)
    one.watch(*world.watches())
    world.speak(9)
    while one.step() or two.step():
        two.step()

    agrees(store, one, world.chain.logs(ALL))


@pytest.mark.parametrize("bad", [Watch(""), Watch("a", -1), Watch("a", 0, topics=(frozenset(),) * 5)])
def test_a_watch_that_cannot_be_is_refused(store: Store, world: World, bad: Watch) -> None:
    with pytest.raises(InvalidInput, match="watch was"):
        indexer(store, world.chain).watch(bad)


def test_the_furthest_behind_are_read_first_and_up_to_the_others() -> None:
    a, b, c = Watch("a"), Watch("b"), Watch("c", 50)
    newest = Head(9, Hash("0x"), Hash("0x"), 0)

    def part(*cursors: tuple[Watch, int], top: int = 20, span: int = 100) -> tuple[list[str], int, int]:
        found = divide(Progress(cursors, newest), top, span)
        assert found
        return [one.name for one in found.watches], found.first, found.last

    assert part((a, 0), (b, 10), (c, 50)) == (["a"], 0, 9)
    assert part((a, 10), (b, 10), (c, 50)) == (["a", "b"], 10, 20)
    assert part((a, 10), (b, 10), span=3) == (["a", "b"], 10, 12)
    assert divide(Progress(((a, 21), (c, 50)), newest), 20, 100) is None


def test_one_question_holds_every_watch_of_a_range() -> None:
    found = divide(Progress(((Watch("a", topics=(frozenset({b"1"}),)), 0), (Watch("b"), 0)), None), 5, 9)

    assert found
    assert union(found) == LogQuery(0, 5)


def test_an_index_without_watches_does_nothing(store: Store, world: World) -> None:
    assert indexer(store, world.chain).sync() == 0
    assert isinstance(indexer(store, world.chain), Indexer)
