from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from mercato.launch import clearing
from mercato.launch.charts import Candle, Part, allocation, candles, curves, demand, unlocks
from mercato.launch.charts.plot import HEIGHT, WIDTH, top
from mercato.launch.model import Demand, Level

TERMS = clearing.Terms(4 * 10**26, 10**26, 10**11, clearing.grid(10**14, 200, 256))


def book(levels: dict[int, int], retail: int = 0) -> Demand:
    """The book of an auction with these bids, and what clearing it gives."""
    bids = tuple(levels.get(number, 0) for number in range(256))
    found = clearing.clear(clearing.Demand(bids, retail), TERMS)
    cleared = found.raised * clearing.Q96 // found.sold if found.sold else 0
    rows = tuple(Level(number, TERMS.prices[number], bids[number]) for number in range(256))
    total = sum(bids) + retail
    return Demand(
        rows, retail, total, 0, total, not found.failed, found.k, cleared, found.raised, found.sold, block=7, time=9
    )


def drawn(svg: str, kind: str) -> list[dict[str, str]]:
    """The attributes of the elements of a class."""
    return [dict(item.attrib) for item in ElementTree.fromstring(svg).iter() if kind in item.get("class", "").split()]


BOOKS = st.builds(
    book, st.dictionaries(st.integers(0, 255), st.integers(1, 10**14), max_size=30), st.integers(0, 10**13)
)


@given(BOOKS)
def test_every_bid_is_drawn_inside_the_chart(held: Demand) -> None:
    bars = drawn(str(demand(held).svg), "bar")

    assert bool(bars) == any(level.demand for level in held.levels)
    for bar in bars:
        assert 0 <= int(bar["x"]) <= int(bar["x"]) + int(bar["width"]) <= WIDTH
        assert 0 <= int(bar["y"]) <= HEIGHT


@given(BOOKS)
def test_the_columns_are_coloured_by_what_clearing_does(held: Demand) -> None:
    colours = [bar["class"].split()[1] for bar in drawn(str(demand(held).svg), "bar")]
    order = [{"c7": 0, "c1": 1, "c0": 2}[colour] for colour in colours]

    assert order == sorted(order)
    assert held.clears or set(colours) <= {"c7"}


@given(BOOKS)
def test_demand_never_rises_with_the_price(held: Demand) -> None:
    plot = curves(held, TERMS.sale, 0)
    lines = drawn(str(plot.svg), "line")
    heights = [[int(y) for y in re.findall(r"V(\d+)", line["d"])] for line in lines]

    assert len(lines) == 2
    assert heights[0] == sorted(heights[0])
    assert heights[1] == sorted(heights[1], reverse=True)
    assert plot.summary


@given(st.integers(0, 10**40))
def test_the_top_of_a_chart_is_round_and_not_much_above_the_largest(value: int) -> None:
    assert value <= top(value) <= max(4, 2 * value)
    assert top(value) % 4 == 0 or top(value) < 100


PARTS = (Part("sale", 4000), Part("pool", 3000, locked=True), Part("team", 2000, 12, 36), Part("grants", 1000))


def test_the_supply_is_drawn_whole() -> None:
    bars = drawn(str(allocation(PARTS)), "bar")

    assert [int(bar["width"]) for bar in bars] == [4000, 3000, 2000, 1000]
    assert sum(int(bar["width"]) for bar in bars) == 10_000


def test_vesting_waits_for_its_cliff_and_then_runs_to_its_end() -> None:
    team = PARTS[2]

    assert [team.unlocked(month) for month in (0, 11, 12, 30, 48, 60)] == [0, 0, 0, 1000, 2000, 2000]
    assert PARTS[1].unlocked(48) == 0


def test_the_unlocks_say_how_much_may_move_when() -> None:
    plot = unlocks(PARTS)

    assert (
        plot.summary == "50% of the supply may move at launch, 50% after 12 months, 56.6% after 24 months, "
        "63.3% after 36 months, 70% after 48 months."
    )
    assert [name for _, name in plot.legend] == ["sale", "team", "grants"]


PRICES = st.integers(2**60, 2**90)


@given(st.lists(st.tuples(PRICES, PRICES, st.integers(0, 10**13)), min_size=1, max_size=60))
def test_candles_stay_inside_and_say_where_they_closed(spans: list[tuple[int, int, int]]) -> None:
    items = [
        Candle(at * 60, first, max(first, last), min(first, last), last, volume, at)
        for at, (first, last, volume) in enumerate(spans)
    ]
    plot = candles(items)
    assert plot is not None
    bodies = drawn(str(plot.svg), "candle")

    assert len(bodies) == len(items)
    assert all(0 <= int(body["y"]) <= HEIGHT and 0 <= int(body["x"]) < WIDTH for body in bodies)
    assert [body["class"] for body in bodies] == [f"candle {'up' if c.close >= c.open else 'down'}" for c in items]


def test_no_trade_is_no_chart() -> None:
    assert candles([]) is None


def test_names_in_a_chart_are_escaped() -> None:
    assert "<b>" not in str(allocation((Part("<b>x", 10_000),)))
