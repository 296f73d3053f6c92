"""Dominance: exact shares, ties, concentration, change and intervals."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mercato.core.errors import InvalidInput
from mercato.market.metrics.dominance import concentration, dominance, ranks
from mercato.market.model import Query
from mercato.market.testing import days, inputs
from tests.profiles import examples

LAST = date(2025, 1, 8)
FIRST = LAST - timedelta(days=7)


def token(asset_id, caps, **more):
    """A token with one cap a week before and one today; the days between do not matter here."""
    return [
        days(asset_id, day, [cap], **more)[0] for day, cap in zip((FIRST, LAST), caps, strict=True) if cap is not None
    ]


def shares(duck, *tokens, sector="ai", **params):
    panel = [row for rows in tokens for row in rows]
    return dominance(inputs(duck, panel=panel), Query(as_of=LAST, sector=sector, params=params))


def of(result, name, key, by="chain"):
    return result.figure(name, by=by, mode="home", key=key).value


def grid(result):
    found = result.grids[0]
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def test_shares_by_home_chain_with_change_and_concentration(duck):
    result = shares(duck, token("a", (50.0, 75.0), home_chain="base"), token("b", (50.0, 25.0), home_chain="solana"))

    assert (of(result, "share", "base"), of(result, "share", "solana")) == ("0.750000000", "0.250000000")
    assert (of(result, "change", "base"), of(result, "change", "solana")) == ("25", "-25")
    assert result.figure("herfindahl", by="chain", mode="home").value == "0.625"
    assert of(result, "share", "other") == "0"


def test_the_interval_moves_each_supply_inside_the_width_of_its_tier(duck):
    result = shares(
        duck,
        token("a", (50.0, 50.0), home_chain="base", supply_tier="D"),
        token("b", (50.0, 50.0), home_chain="solana", supply_tier="A"),
    )

    assert Decimal(of(result, "share-low", "base")) == Decimal(f"{25 / (25 + 51):.9f}")
    assert Decimal(of(result, "share-high", "base")) == Decimal(f"{50 / (50 + 49):.9f}")


def test_ties_have_one_rank_and_say_so(duck):
    result = shares(duck, token("a", (1.0, 2.0)), token("b", (1.0, 2.0)), token("c", (1.0, 1.0)), by="asset")

    assert [(row["rank"], row["tie"], row["asset"]) for row in grid(result)] == [
        ("1", "yes", "a"),
        ("1", "yes", "b"),
        ("3", "no", "c"),
    ]
    assert "tie" in result.figure("share", by="asset", mode="home", key="a").flags


def test_beyond_the_tenth_rank_groups_become_other(duck):
    tokens = [token(f"t{n:02}", (1.0, 100.0 - n)) for n in range(12)]
    result = shares(duck, *tokens, by="asset")
    listed = [Decimal(item.value or 0) for item in result.figures if item.name == "share"]

    assert len(listed) == 11
    assert of(result, "share", "other", by="asset") == grid_sum(result, ("t10", "t11"))
    assert sum(listed) == 1


def grid_sum(result, keys):
    return f"{sum(Decimal(row['share']) for row in grid(result) if row['asset'] in keys):f}"


def test_a_group_that_lost_everything_is_shown_with_its_loss(duck):
    result = shares(duck, token("a", (50.0, 75.0), home_chain="base"), token("b", (50.0, None), home_chain="solana"))

    assert (of(result, "share", "solana"), of(result, "change", "solana")) == ("0.000000000", "-50")


def test_an_empty_chain_is_called_unknown(duck):
    assert of(shares(duck, token("a", (1.0, 1.0), home_chain="")), "share", "unknown") == "1.000000000"


@pytest.mark.parametrize("mode", ["deployed", "traded"])
def test_a_mode_without_data_gives_no_number(duck, mode):
    result = shares(duck, token("a", (1.0, 1.0)), mode=mode)

    assert [item.value for item in result.figures] == [None]
    assert "attribution-unavailable" in result.flags


def test_an_unknown_grouping_is_refused(duck):
    with pytest.raises(InvalidInput, match="ticker"):
        shares(duck, token("a", (1.0, 1.0)), by="ticker")


def test_worthless_groups_have_no_shares(duck):
    result = shares(duck, token("a", (0.0, 0.0)), token("b", (0.0, 0.0)), by="asset")

    assert of(result, "share", "a", by="asset") is None
    assert result.figure("herfindahl", by="asset", mode="home").value is None


def test_by_sector_splits_the_whole_of_ai(duck):
    result = shares(duck, token("a", (1.0, 3.0)), token("b", (1.0, 1.0), sector="ai-infrastructure"), by="sector")

    assert of(result, "share", "ai-infrastructure", by="sector") == "0.250000000"


@settings(max_examples=examples(12), deadline=None)
@given(caps=st.lists(st.integers(0, 10**15), min_size=1, max_size=14), order=st.randoms(use_true_random=False))
def test_shares_add_to_one_and_lie_in_their_interval_in_any_order(duck, caps, order):
    tiers = "ABCDV"
    rows = [
        {**days(f"t{n:02}", LAST, [1.0], supply_tier=tiers[n % 5])[0], "cap": cap, "home_chain": f"c{n % 4}"}
        for n, cap in enumerate([*caps, 1])
    ]
    mixed = list(rows)
    order.shuffle(mixed)
    one, two = (dominance(inputs(duck, panel=panel), Query(as_of=LAST)) for panel in (rows, mixed))

    assert one == two
    assert sum(Decimal(row["share"]) for row in grid(one)) == 1
    for row in grid(one):
        assert float(row["share_low"]) - 1e-8 <= float(row["share"]) <= float(row["share_high"]) + 1e-8


@given(caps=st.dictionaries(st.text("abc", min_size=1), st.integers(0, 10**18), min_size=1))
def test_concentration_lies_between_equal_parts_and_one(caps):
    found = concentration({**caps, "more": 1})

    assert found is not None
    assert 1 / (len(caps) + 1) - 1e-12 <= found <= 1


def test_ranks_skip_after_a_tie():
    assert ranks([{"key": key, "cap": cap} for key, cap in (("a", 5), ("b", 5), ("c", 1))]) == {
        "a": (1, True),
        "b": (1, True),
        "c": (3, False),
    }
