"""The metric expressions give the same rows on DuckDB and on Spark: nulls, ties, zeros and large sums included."""

from datetime import date, timedelta

import pyarrow as pa
import pytest

from mercato.market.metrics import decompose, dominance, drawdown, giants, index, level, platforms, rebounds
from mercato.market.testing import days
from tests.market.metrics.golden import compare

FIRST, LAST = date(2025, 1, 1), date(2025, 1, 4)
HUGE = 9_000_000_000_000_000_001
PANEL = [
    *days("a", FIRST, [1.5, 2.25, 0.1, 0.3], supply_max=4.0, supply=3.0, volume=1e6, home_chain="solana"),
    *days("b", FIRST, [None, 4.0, 4.0, 4.0], state="stale", platform="forge"),
    *days("c", FIRST, [9.0, 9.0], supply_tier="V", supply=2.0),
    *days("c", date(2025, 1, 3), [0.0, 0.0], state="inactive"),
    *days("d", FIRST, [5.0, 7.0, 7.0, 5.0], cap=HUGE, supply_tier="D", home_chain="solana", volume=0.1),
    *days("e", FIRST, [5.0, 5.0, 5.0, 5.0], cap=HUGE, supply_max=1e300, supply_tier=None),
    *days("forge", FIRST, [3.0, 0.0, 1.0, 2.0], home_chain=""),
    *days("w", FIRST, [5.0, 5.0, 5.0, 5.0], weight=0),
    *days("bitcoin", FIRST, [90.0, 91.0, 92.0, 93.0], sector=""),
    *days("goog", FIRST, [1.0, 2.0, 3.0, 4.0], kind="equity", sector="giants", platform="alphabet"),
    *days("googl", FIRST, [2.0, 3.0, 4.0, 5.0], kind="equity", sector="giants", platform="alphabet", supply_sha="x"),
    *days("nvda", FIRST, [2.0, 3.0, 4.0], kind="equity", sector="giants", platform="", supply=7.0),
]
POOLS = [
    {"asset_id": "a", "field": "liquidity_usd", "day": LAST, "value": 5.0},
    {"asset_id": "a", "field": "liquidity_usd", "day": FIRST, "value": 6.0},
    {"asset_id": "b", "field": "liquidity_usd", "day": LAST, "value": None},
]

pytestmark = pytest.mark.spark


def sector(given):
    return level.members(given.panel, "ai", None, LAST)


def effects(given):
    return decompose.steps(sector(given), FIRST, LAST)


def returns(given):
    pools = rebounds.liquidity(given.curated, LAST)
    return rebounds.with_liquidity(rebounds.returns(sector(given), FIRST, LAST, drawdown.highs(sector(given))), pools)


def baskets(given):
    held = [
        {
            "basket": n,
            "asset_id": asset,
            "capped": units,
            "uncapped": 3 * units,
            "start": FIRST + timedelta(n),
            "end": LAST,
        }
        for n, asset, units in ((0, "a", 2.0), (0, "c", 1.0), (1, "d", 0.1), (1, "c", 3.0))
    ]
    return index.market_values(given.panel, given.engine.table(pa.Table.from_pylist(held, index.HOLDINGS.to_pyarrow())))


EXPRESSIONS = [
    ("members", sector, ("asset_id", "day"), 24),
    ("daily-level", lambda given: level.daily_level(sector(given)), ("day",), 4),
    ("constituents", lambda given: level.constituents(sector(given), LAST), ("asset_id",), 6),
    ("events", lambda given: level.events(sector(given)), ("asset_id", "day"), 1),
    ("effects", effects, ("asset_id", "day", "entry"), 17),
    ("contributions", lambda given: decompose.contributions(effects(given)), ("asset_id",), 6),
    ("passages", lambda given: decompose.passages(effects(given)), ("asset_id",), 2),
    ("candidates", lambda given: index.candidates(sector(given), [LAST]), ("asset_id",), 4),
    ("first-day", lambda given: index.first_day(sector(given)), ("day",), 1),
    ("never-began", lambda given: index.never_began(sector(given), FIRST), ("asset_id",), 0),
    ("market-values", baskets, ("basket", "day"), 7),
    ("price-links", lambda given: index.price_links(sector(given), FIRST, LAST), ("day",), 3),
    ("fallen", lambda given: drawdown.fallen(sector(given), LAST, drawdown.highs(sector(given))), ("asset_id",), 5),
    ("groups", lambda given: dominance.groups(sector(given), "home_chain"), ("day", "key"), 12),
    (
        "platforms",
        lambda given: platforms.sums(platforms.launched(sector(given), {"e": "p"})),
        ("chain", "platform"),
        5,
    ),
    ("returns", returns, ("asset_id",), 4),
    ("companies", lambda given: giants.companies(given.panel, FIRST, LAST), ("day", "issuer"), 7),
    ("sessions", lambda given: giants.sessions(giants.companies(given.panel, FIRST, LAST), 2), ("day",), 3),
    ("references", lambda given: giants.references(given.panel, FIRST, LAST), ("day",), 4),
]


@pytest.mark.parametrize(("build", "keys", "rows"), [case[1:] for case in EXPRESSIONS], ids=[c[0] for c in EXPRESSIONS])
def test_the_expression_gives_the_same_rows_on_duckdb_and_spark(duck, spark, build, keys, rows):
    assert compare(duck, spark, build, keys, panel=PANEL, curated=POOLS) == rows
