from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mercato.api import Hub, Message, Subscription
from mercato.api.hub import HubFull
from mercato.core.errors import InvalidInput


def read(subscription: Subscription) -> list[dict[str, object]]:
    """Everything that waits for a reader, in order."""
    return [json.loads(text) for text in iter(subscription.take, None)]


def events(subscription: Subscription) -> list[object]:
    return [item["event"] for item in read(subscription)]


def test_a_message_reaches_those_who_listen_to_its_topic_and_nobody_else() -> None:
    hub = Hub()
    market, both, other = hub.subscribe(["market"]), hub.subscribe(["market", "swarm"]), hub.subscribe(["swarm"])

    assert hub.publish("market", Message("moved", html="<b>1</b>", data={"x": 1})) == 2
    assert read(market)[0] | {"at": ""} == {"event": "moved", "html": "<b>1</b>", "data": {"x": 1}, "at": ""}
    assert events(both) == ["moved"]
    assert events(other) == []


def test_a_slow_reader_loses_the_oldest_and_keeps_the_newest() -> None:
    hub = Hub(depth=3)
    slow = hub.subscribe(["market"])
    for number in range(10):
        hub.publish("market", Message(f"e{number}"))

    assert events(slow) == ["e7", "e8", "e9"]
    assert slow.dropped == 7


def test_a_slow_reader_does_not_slow_a_quick_one() -> None:
    hub = Hub(depth=2)
    hub.subscribe(["market"])
    quick = hub.subscribe(["market"])
    seen = []
    for number in range(6):
        hub.publish("market", Message(f"e{number}"))
        seen += events(quick)

    assert seen == [f"e{number}" for number in range(6)]


def test_a_reader_that_comes_back_gets_what_it_missed_on_its_topics() -> None:
    hub = Hub()
    hub.publish("market", Message("before"))
    since = hub.cursor
    hub.publish("market", Message("one"))
    hub.publish("swarm", Message("foreign"))
    hub.publish("market", Message("two"))

    assert events(hub.subscribe(["market"], since)) == ["one", "two"]
    assert events(hub.subscribe(["market"], hub.cursor)) == []
    assert events(hub.subscribe(["market"])) == []


@pytest.mark.parametrize("since", ["elsewhere.3", "nonsense", "x.", "{epoch}.-1", "{epoch}.0"])
def test_a_reader_from_before_the_history_is_told_to_resync(since: str) -> None:
    hub = Hub(history=2)
    for number in range(5):
        hub.publish("market", Message(f"e{number}"))
    epoch = hub.cursor.split(".")[0]

    assert events(hub.subscribe(["market"], since.format(epoch=epoch))) == ["resync"]


def test_the_hub_has_so_many_places_and_gives_a_left_one_away_again() -> None:
    hub = Hub(limit=2)
    first = hub.subscribe(["market"])
    hub.subscribe(["market"])
    with pytest.raises(HubFull, match="all 2"):
        hub.subscribe(["market"])
    hub.drop(first)
    hub.subscribe(["market"])

    assert len(hub) == 2


@pytest.mark.parametrize("topics", [[], ["UPPER"], ["a b"], ["x" * 101], [f"t{n}" for n in range(17)], ["ok", ""]])
def test_topics_are_few_and_plain(topics: list[str]) -> None:
    with pytest.raises(InvalidInput, match="topics were"):
        Hub().subscribe(topics)


def test_a_reader_waits_for_its_message_and_gives_up_after_a_while() -> None:
    hub = Hub()

    async def wait() -> list[str | None]:
        item = hub.subscribe(["market"])
        asyncio.get_running_loop().call_later(0.01, hub.publish, "market", Message("late"))
        return [await item.next(5), await item.next(0.01)]

    late, nothing = asyncio.run(wait())

    assert '"event":"late"' in str(late)
    assert nothing is None


def test_the_hub_knows_what_is_worth_rendering() -> None:
    hub = Hub()
    item = hub.subscribe(["market", "swarm"])
    listened = hub.topics()
    hub.drop(item)

    assert listened == frozenset({"market", "swarm"})
    assert hub.topics() == frozenset()


@given(depth=st.integers(1, 8), history=st.integers(1, 8), count=st.integers(0, 20), left=st.integers(0, 20))
def test_after_any_gap_a_reader_has_every_message_or_knows_that_it_has_not(
    depth: int, history: int, count: int, left: int
) -> None:
    hub = Hub(depth=depth, history=history)
    cursors = [hub.cursor]
    for number in range(count):
        hub.publish("market", Message(f"e{number}"))
        cursors.append(hub.cursor)
    place = min(left, count)
    item = hub.subscribe(["market"], cursors[place])
    got = events(item)

    assert got == ["resync"] or got == [f"e{n}" for n in range(place, count)][-depth:]
    assert got == ["resync"] or len(got) + item.dropped == count - place
