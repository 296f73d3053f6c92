"""The metric expressions give the same rows on DuckDB and on Spark."""

from datetime import date

import pytest

from mercato.market.metrics import decompose, level
from mercato.market.testing import days
from tests.market.metrics.golden import compare

FIRST, LAST = date(2025, 1, 1), date(2025, 1, 4)
PANEL = [
    *days("a", FIRST, [1.5, 2.25, 0.1, 0.3], supply_max=4.0, supply=3.0),
    *days("b", FIRST, [None, 4.0, 4.0, 4.0], state="stale"),
    *days("c", FIRST, [9.0, 9.0], supply_tier="V"),
    *days("c", date(2025, 1, 3), [0.0, 0.0], state="inactive"),
    *days("d", FIRST, [5.0, 5.0, 5.0, 5.0], cap=9_000_000_000_000_000_001),
    *days("e", FIRST, [5.0, 5.0, 5.0, 5.0], cap=9_000_000_000_000_000_001, supply_max=1e300),
    *days("w", FIRST, [5.0, 5.0, 5.0, 5.0], weight=0),
]

pytestmark = pytest.mark.spark


def test_members_agree(duck, spark):
    rows = compare(
        duck, spark, lambda given: level.members(given.panel, "ai", FIRST, LAST), ("asset_id", "day"), panel=PANEL
    )

    assert rows == 20


def test_daily_levels_agree(duck, spark):
    rows = compare(
        duck,
        spark,
        lambda given: level.daily_level(level.members(given.panel, "ai", None, LAST)),
        ("day",),
        panel=PANEL,
    )

    assert rows == 4


def test_constituents_and_events_agree(duck, spark):
    def build(given):
        return level.events(level.members(given.panel, "ai", None, LAST))

    def today(given):
        return level.constituents(level.members(given.panel, "ai", None, LAST), LAST)

    assert compare(duck, spark, build, ("asset_id", "day"), panel=PANEL) == 1
    assert compare(duck, spark, today, ("asset_id",), panel=PANEL) == 5


def test_effects_and_contributions_agree(duck, spark):
    def build(given):
        return decompose.steps(level.members(given.panel, "ai", None, LAST), FIRST, LAST)

    assert compare(duck, spark, build, ("asset_id", "day", "entry"), panel=PANEL) == 14
    assert compare(duck, spark, lambda given: decompose.contributions(build(given)), ("asset_id",), panel=PANEL) == 5
    assert compare(duck, spark, lambda given: decompose.passages(build(given)), ("asset_id",), panel=PANEL) == 2
