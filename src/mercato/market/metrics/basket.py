"""Index baskets (M4): who is in at a reconstitution, and how many units of each. Pure Python over a few rows."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from mercato.market.metrics.numbers import MICRO

Row = Mapping[str, Any]

CAP_LIMIT = 0.10
FREEZE_DAYS = 5
MIN_AGE_DAYS = 30
MIN_VOLUME_USD = 250_000.0
BUFFER = 0.20
MIN_PRICED = 0.5
ENOUGH = 10  # with fewer constituents a 10 % cap cannot hold, so the rules on unknown data give way
TIERS = ("A", "B")


@dataclass(frozen=True, slots=True)
class Holding:
    """One asset in a basket: supply, cap factor, and its share on the freeze day with and without the factor."""

    asset_id: str
    symbol: str
    supply: float
    supply_tier: str
    factor: float
    capped: float
    uncapped: float


@dataclass(frozen=True, slots=True)
class Basket:
    """What an index holds after the close of `day`, chosen on `frozen`, with the rules that had to give way."""

    day: date
    frozen: date
    holdings: tuple[Holding, ...]
    flags: tuple[str, ...]


def rebalance_days(base: date, last: date) -> list[date]:
    """Returns the first of each month after `base` whose freeze day is not before `base`, up to `last`."""
    days, day = [], date(base.year, base.month, 1)
    while day <= last:
        if day - timedelta(days=FREEZE_DAYS) >= base and day > base:
            days.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    return days


def cap_factors(caps: Mapping[str, float], limit: float = CAP_LIMIT) -> dict[str, float]:
    """Returns the factor of each cap such that no weight exceeds max(limit, 1/n); uncapped ones keep factor 1.

    Whoever exceeds the limit is held at it and the rest shares what is left by cap; that may lift another above the
    limit, so it repeats until nothing changes. With n <= 1/limit everybody ends at the weight 1/n.
    """
    bound = max(limit, 1 / len(caps)) if caps else limit
    held: set[str] = set()
    while True:
        free = {key: cap for key, cap in sorted(caps.items()) if key not in held}
        left, total = 1 - bound * len(held), math.fsum(free.values())
        over = {key for key, cap in free.items() if cap / total * left > bound * (1 + 1e-12)}
        if not over:
            break
        held |= over
    if not free or left <= 0:
        smallest = min(caps.values(), default=1.0)
        return {key: smallest / cap for key, cap in caps.items()}
    return {key: (bound / left * total / cap if key in held else 1.0) for key, cap in caps.items()}


def choose(
    rows: Sequence[Row], base: date, held: Collection[str], heirs: Collection[str]
) -> tuple[list[Row], list[str]]:
    """Returns the constituents among the candidate rows of a freeze day, and the rules that gave way.

    `held` are in already (the buffer applies to them), `heirs` continue a migrated token and inherit its age.
    """
    aged = [row for row in rows if _is_aged(row, base, heirs) and _is_observed(row)]
    known = [row for row in aged if row["volume_30d"] is not None and _is_liquid(row, held)]
    unknown = [row for row in aged if row["volume_30d"] is None]
    ladder = [
        [row for row in known if row["supply_tier"] in TIERS],
        [row for row in known + unknown if row["supply_tier"] in TIERS],
        known + unknown,
    ]
    chosen = next((step for step in ladder if len(step) >= ENOUGH), ladder[-1])
    marks = {
        "liquidity-unknown": any(row["volume_30d"] is None for row in chosen),
        "supply-tier-relaxed": any(row["supply_tier"] not in TIERS for row in chosen),
        "few-constituents": len(chosen) < ENOUGH,
    }
    return sorted(chosen, key=lambda row: str(row["asset_id"])), [name for name, holds in marks.items() if holds]


def _is_aged(row: Row, base: date, heirs: Collection[str]) -> bool:
    # What was there on the first day of the data has an unknown age, and an index must begin with something.
    since = row["day"] - timedelta(days=row["listed_days"])
    return row["listed_days"] >= MIN_AGE_DAYS or since <= base or row["asset_id"] in heirs


def _is_observed(row: Row) -> bool:
    # A source that speaks once a month would let a token die and rise again in every basket.
    return bool(row["priced_30d"] >= MIN_PRICED * min(MIN_AGE_DAYS, row["listed_days"] + 1))


def _is_liquid(row: Row, held: Collection[str]) -> bool:
    floor = MIN_VOLUME_USD * (1 - BUFFER) if row["asset_id"] in held else MIN_VOLUME_USD
    return bool(row["volume_30d"] >= floor)


def weigh(chosen: Sequence[Row]) -> tuple[Holding, ...]:
    """Returns the holdings of the chosen rows. Without a supply, the one that the vendor's cap implies."""
    caps = {row["asset_id"]: row["cap"] / MICRO for row in chosen}
    factors = cap_factors(caps)
    total = math.fsum(caps.values())
    capped = math.fsum(caps[key] * factors[key] for key in caps)
    return tuple(
        Holding(
            asset_id=row["asset_id"],
            symbol=row["symbol"],
            supply=row["supply"] if row["supply"] is not None else cap / row["price"],
            supply_tier=row["supply_tier"] or "",
            factor=factors[row["asset_id"]],
            capped=cap * factors[row["asset_id"]] / capped,
            uncapped=cap / total,
        )
        for row, cap in ((row, caps[row["asset_id"]]) for row in chosen)
    )


def reconstitute(candidates: Sequence[Row], base: date, last: date, moves: Sequence[Row]) -> list[Basket]:
    """Returns the baskets from the base day on. A month in which nobody is eligible keeps the basket before."""
    by_day: dict[date, list[Row]] = {}
    for row in candidates:
        by_day.setdefault(row["day"], []).append(row)
    baskets: list[Basket] = []
    for day in [base, *rebalance_days(base, last)]:
        frozen = base if day == base else day - timedelta(days=FREEZE_DAYS)
        heirs = {move["to_asset"] for move in moves if move["day"] <= frozen}
        held = {item.asset_id for item in baskets[-1].holdings} if baskets else set()
        chosen, flags = choose(by_day.get(frozen, []), base, held, heirs)
        if chosen:
            baskets.append(Basket(day, frozen, weigh(chosen), tuple(flags)))
    return baskets
