"""Dominance (M8): who holds which share of a sector, with ties, concentration, change and an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Literal, get_args

import ibis

from mercato.core.errors import InvalidInput
from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet, require_sector
from mercato.market.metrics.index import coverage_of
from mercato.market.metrics.level import TOTAL, Row, assets_of, flags_of, members
from mercato.market.metrics.numbers import plain, shares, usd
from mercato.market.model import Query, Result

DEFINITION = "M8.1"
FORMULA = (
    "share_k = sum of c in group k / sum of c in the sector; shares add up to exactly 1 at 9 decimals (largest "
    "remainder). HHI = sum of share^2 over all groups. Interval: every cap of k at one end of its tier's width and all "
    "others at the opposite end. Widths: A -2 % to +2 %, B 5 %, C 20 %, V 10 %, D -50 % to 0 (total supply is an upper "
    "bound), unknown -50 % to +20 %. Change in percentage points against `days` before. Mode home: by issuer's chain."
)
DAYS = 7
TOP = 10
By = Literal["chain", "platform", "asset", "sector"]
COLUMNS = {"chain": "home_chain", "platform": "platform", "asset": "asset_id", "sector": "sector"}
MODES = ("home", "deployed", "traded")
#: Judgement, not measurement: how far a supply of a tier may be off, as factors of the cap, in percent.
WIDTHS: dict[str, tuple[int, int]] = {
    "A": (98, 102), "B": (95, 105), "C": (80, 120), "D": (50, 100), "V": (90, 110), "": (50, 120),
}  # fmt: skip

#: What a group that had a share before and has none now is counted with.
GONE = {"cap": 0, "assets": 0, "low": 0, "high": 0}


def groups(rows: ibis.Table, column: str) -> ibis.Table:
    """Returns caps (micro-USD) of each day and group, as they are and at both ends of their tiers' widths, in percent.

    `low` and `high` are sums of cap x percent: integers, 100 times the cap where the width is nothing.
    """
    live = rows.filter(rows.active)
    tier = ibis.coalesce(live.supply_tier, "")
    cap = live.cap.cast(TOTAL)

    def bound(end: int) -> ibis.ir.DecimalScalar:
        cases = [(tier == name, width[end]) for name, width in WIDTHS.items()]
        percent = ibis.cases(*cases, else_=WIDTHS[""][end])
        return (cap * percent.cast(TOTAL)).cast(TOTAL).sum()

    key = ibis.coalesce(live[column], "").nullif("").fill_null("unknown")
    return live.group_by(day=live.day, key=key).agg(cap=cap.sum(), assets=live.count(), low=bound(0), high=bound(1))


def interval(parts: Sequence[Row], key: str) -> tuple[float | None, float | None]:
    """Returns the lowest and highest share of a group when supplies move inside their tiers' widths."""
    own = next(row for row in parts if row["key"] == key)
    low, high = Decimal(own["low"]), Decimal(own["high"])
    others_low = sum(Decimal(row["low"]) for row in parts) - low
    others_high = sum(Decimal(row["high"]) for row in parts) - high
    return (
        float(low / (low + others_high)) if low + others_high else None,
        float(high / (high + others_low)) if high + others_low else None,
    )


def ranks(parts: Sequence[Row]) -> dict[str, tuple[int, bool]]:
    """Returns the rank of each group by cap and whether it is a tie; tied groups have the same rank (1, 1, 3)."""
    caps = [int(row["cap"]) for row in parts]
    return {row["key"]: (1 + sum(cap > row["cap"] for cap in caps), caps.count(int(row["cap"])) > 1) for row in parts}


def concentration(parts: Mapping[str, int]) -> float | None:
    """Returns the Herfindahl index of the parts, from 1/n to 1, None where their sum is zero."""
    total = sum(parts.values())
    return float(Decimal(sum(part * part for part in parts.values())) / Decimal(total * total)) if total else None


def _choice(query: Query, name: str, known: Sequence[str]) -> str:
    value = query.params.get(name, known[0])
    if value not in known:
        raise InvalidInput(f"{name} was {value!r}, which is unknown", hint=f"known: {', '.join(known)}")
    return value


def dominance(inputs: Inputs, query: Query) -> Result:
    """Returns the shares of a sector by chain, platform, asset or sector (M8)."""
    params.known(query, ("by", "mode"))
    require_sector(inputs, query.sector)
    by, mode = _choice(query, "by", get_args(By)), _choice(query, "mode", MODES)
    before = query.as_of - timedelta(days=query.days or DAYS)
    rows = members(inputs.panel, query.sector, before, query.as_of)
    today = inputs.engine.rows(rows.filter(rows.day == query.as_of).order_by("asset_id"))
    ends = rows.filter(rows.day.isin([before, query.as_of]))
    ids = assets_of(inputs.engine.rows(ends.select("asset_id").distinct()))
    sheet = Sheet("dominance", DEFINITION, query, inputs.evidence("panel", ids))
    coverage = coverage_of(today)
    flags = flags_of(today, coverage)
    if mode != "home":
        # Supplies by deployment and volumes by venue are not among the inputs, and a guess would be an invented number.
        flags = [*flags, "attribution-unavailable"]
        sheet.add("share", None, "share", dims={"by": by, "mode": mode}, flags=flags)
        return sheet.result(flags=flags)
    found: list[Row] = list(inputs.engine.rows(groups(ends, COLUMNS[by]).order_by("day", "key")))
    then = {row["key"]: int(row["cap"]) for row in found if row["day"] == before}
    now = [row for row in found if row["day"] == query.as_of]
    present = {row["key"] for row in now}
    left: list[Row] = [{"key": key, **GONE} for key in sorted(then) if key not in present]
    now += left if now else []
    _write(sheet, by, sorted(now, key=lambda row: (-row["cap"], row["key"])), then, plain(coverage), flags)
    return sheet.result(coverage=plain(coverage), flags=flags)


def _write(
    sheet: Sheet, by: str, now: Sequence[Row], then: dict[str, int], coverage: str | None, flags: Sequence[str]
) -> None:
    caps = {row["key"]: int(row["cap"]) for row in now}
    share, old, rank = shares(caps), shares(then), ranks(now)
    table = []
    for row in now:
        key, (place, tied) = row["key"], rank[row["key"]]
        low, high = interval(now, key)
        dims = {"by": by, "mode": "home", "key": key}
        marks = [*flags, *(["tie"] if tied else [])]
        change = points(share.get(key), old.get(key, "0") if old else None)
        if place <= TOP:
            sheet.add("share", share.get(key), "share", dims=dims, coverage=coverage, flags=marks)
            sheet.add("share-low", plain(low), "share", dims=dims, coverage=coverage, flags=marks)
            sheet.add("share-high", plain(high), "share", dims=dims, coverage=coverage, flags=marks)
            sheet.add("change", change, "pp", dims=dims, coverage=coverage, flags=marks)
        table.append((plain(place), "yes" if tied else "no", key, usd(row["cap"]), share.get(key), plain(low),
                      plain(high), change, plain(row["assets"])))  # fmt: skip
    _rest(sheet, by, [share[row["key"]] for row in now if share and rank[row["key"]][0] > TOP], coverage, flags)
    sides = {"by": by, "mode": "home"}
    sheet.add("herfindahl", plain(concentration(caps)), "ratio", dims=sides, coverage=coverage, flags=flags)
    sheet.add("groups", plain(len(now)), "count", dims=sides)
    sheet.grid(
        "groups",
        ("rank", "tie", by, "cap", "share", "share_low", "share_high", "change", "assets"),
        ("", "", "", "usd", "share", "share", "share", "pp", "count"),
        table,
    )


def _rest(sheet: Sheet, by: str, rest: Sequence[str], coverage: str | None, flags: Sequence[str]) -> None:
    total = f"{sum(map(Decimal, rest)):f}" if rest else "0"
    dims = {"by": by, "mode": "home", "key": "other"}
    sheet.add("share", total, "share", dims=dims, coverage=coverage, flags=[*flags, "sum-of-the-rest"])


def points(now: str | None, before: str | None) -> str | None:
    """Returns the exact change between two shares in percentage points, None where one is unknown."""
    if now is None or before is None:
        return None
    return plain((Decimal(now) - Decimal(before)) * 100)
