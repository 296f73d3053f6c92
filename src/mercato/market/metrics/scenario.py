"""What a multiple would need, how often it happened, what an exit would pay (M14). Never advice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import median

from mercato.market.metrics import base_rates as history
from mercato.market.metrics.base import Inputs, Sheet
from mercato.market.metrics.held import held
from mercato.market.metrics.kernels.kelly import Size, joint_loss, kelly, realised, shrunken, size
from mercato.market.metrics.numbers import plain, usd
from mercato.market.metrics.plan import Plan, plan, usd_text
from mercato.market.metrics.subject import Subject, subject
from mercato.market.model import Query, Result

METRIC, DEFINITION = "scenario", "M14.1"
ADVICE = "never-advice"
FORMULA = (
    "required cap = multiple x cap x (1 + dilution); exit part = (pool/2) / (pool/2 + budget x multiple), constant "
    "product without fees; base rate = starts of the same year and cap band whose price touched the multiple at one of "
    "the next 12 month starts / starts, leavers counted as 0; shrunken with 100 starts at the band's rate over all "
    "years; size = min(1/4 Kelly, max loss per idea, 1 % of the pool); joint loss = 1 - (1 - sector fall)^beta"
)
FEW = 30  # starts below which a rate is marked
BUDGETS, MULTIPLES = (50_000, 100_000, 250_000, 500_000), (10, 20, 50, 100)
Row = Mapping[str, object]


def scenario(inputs: Inputs, query: Query) -> Result:
    """Returns M14 for one token; see plan.py for the parameters, and `asset` and `peers` in subject.py.

    Every figure carries the flag `never-advice`.
    """
    asked = plan(query)
    found = subject(inputs, query)
    sheet = Sheet(METRIC, DEFINITION, query, inputs.evidence("panel", None))
    starts = held(inputs.engine, history.points(inputs.curated, inputs.assets, query.as_of))
    outcomes = held(inputs.engine, history.outcomes(starts))
    rows = sorted(inputs.engine.rows(history.rates(outcomes, asked.multiple)), key=_place)
    pool = asked.pool_usd if asked.pool_usd is not None else found.pool_usd
    _required(sheet, asked, found)
    part = _exit(sheet, asked, pool)
    chance = _rates(sheet, asked, found, rows)
    _survivors(sheet, inputs.engine.rows(history.ends(outcomes)))
    _size(sheet, asked, chance, part, pool)
    _joint(sheet, asked, found)
    _grids(sheet, rows, pool, found)
    unknown = {"pool-unknown": pool is None, "cap-unknown": found.cap is None, "no-base-rates": not rows}
    return sheet.result(flags=[ADVICE, *found.flags, *(name for name, holds in unknown.items() if holds)])


def _place(row: Row) -> tuple[int, str]:
    names = [name for name, _ in history.BANDS]
    return names.index(str(row["band"])), str(row["year"])


def _add(sheet: Sheet, name: str, value: str | None, unit: str, flags: Sequence[str] = (), **dims: str) -> None:
    sheet.add(name, value, unit, dims=dims, flags=[ADVICE, *flags])


def _required(sheet: Sheet, asked: Plan, found: Subject) -> None:
    """Writes the cap that the multiple needs, and what part of the sector and of the record that would be."""
    dims = {"asset": found.asset_id} if found.asset_id else {}
    flags = [] if asked.dilution is not None else ["no-dilution-assumed"]
    grown = Decimal(str(asked.multiple)) * (1 + Decimal(str(asked.dilution or 0)))
    required = None if found.cap is None else int(grown * found.cap)
    diluted = None if found.diluted_cap is None else int(Decimal(str(asked.multiple)) * found.diluted_cap)
    _add(sheet, "cap", usd(found.cap), "usd", **dims)
    _add(sheet, "required-cap", usd(required), "usd", flags, **dims)
    _add(sheet, "required-cap-fully-diluted", usd(diluted), "usd", **dims)
    _add(sheet, "required-of-sector", plain(_ratio(required, found.level)), "ratio", flags, **dims)
    _add(sheet, "required-of-record", plain(_ratio(required, found.record_cap)), "ratio", flags, **dims)
    _add(sheet, "record-cap", usd(found.record_cap), "usd", **({"of": found.record} if found.record else {}))


def _exit(sheet: Sheet, asked: Plan, pool: float | None) -> float | None:
    """Writes what a sale at the multiple would realise, and returns that part; None without a known pool."""
    flags = ["pool-unknown"] if pool is None else (["pool-assumed"] if asked.pool_usd is not None else [])
    mark = asked.budget_cents * asked.multiple / 100
    part = None if pool is None else realised(mark, pool)
    proceeds = None if part is None else math.floor(mark * part * 100)
    entry = None if pool is None else 1 - realised(asked.budget_cents / 100, pool)
    _add(sheet, "budget", usd_text(asked.budget_cents), "usd")
    _add(sheet, "mark", usd_text(math.floor(mark * 100)), "usd")
    _add(sheet, "pool", plain(pool), "usd", flags)
    _add(sheet, "exit-part", plain(part), "ratio", flags)
    _add(sheet, "exit-proceeds", usd_text(proceeds), "usd", flags)
    _add(sheet, "entry-cost", plain(entry), "ratio", flags)
    return part


def _rates(sheet: Sheet, asked: Plan, found: Subject, rows: Sequence[Row]) -> float | None:
    """Writes the base rates of the token's band by start year; returns the newest, shrunken to the band's own."""
    if found.cap is None:
        return None
    band = history.band_name(found.cap / 1e6)
    ours = [row for row in rows if row["band"] == band]
    for row in ours:
        starts = _count(row, "starts")
        flags = ["few-starts"] if starts < FEW else []
        dims = {"band": band, "year": str(row["year"])}
        _add(sheet, "starts", str(starts), "starts", flags, **dims)
        for name, column in (("touch-rate", "hits"), ("left-rate", "left"), ("below-half-rate", "below_half")):
            _add(sheet, name, plain(_count(row, column) / starts), "ratio", flags, **dims)
        staying = starts - _count(row, "left")
        alone = plain(_count(row, "survivor_hits") / staying) if staying else None
        _add(sheet, "touch-rate-survivors-only", alone, "ratio", ["survivorship-bias", *flags], **dims)
    if not ours:
        return None
    pooled = sum(_count(row, "hits") for row in ours) / sum(_count(row, "starts") for row in ours)
    chance = shrunken(_count(ours[-1], "hits"), _count(ours[-1], "starts"), pooled)
    _add(sheet, "chance", plain(chance), "probability", ["shrunken"], band=band, year=str(ours[-1]["year"]))
    return chance


def _survivors(sheet: Sheet, ends: Sequence[Row]) -> None:
    """Writes the median multiple after 12 months with leavers at 0, and of survivors only, to show the bias."""
    alone = [float(str(row["end"])) for row in ends if row["end"] is not None]
    counted = [float(str(row["counted"])) for row in ends]
    flags = ["survivorship-bias"]
    _add(sheet, "median-multiple", plain(median(counted)) if counted else None, "ratio", universe="all")
    _add(sheet, "median-multiple", plain(median(alone)) if alone else None, "ratio", flags, universe="survivors")


def _size(sheet: Sheet, asked: Plan, chance: float | None, part: float | None, pool: float | None) -> None:
    """Writes the size that fractional Kelly, the loss limit and the pool allow; unknown where an input is."""
    found: Size | None = None
    if chance is not None:
        bet = kelly(chance, asked.multiple * (1.0 if part is None else part) - 1)
        found = size(asked.budget_cents, bet, asked.max_loss, pool)
        _add(sheet, "kelly", plain(bet), "ratio", ["exit-cost-unknown"] if part is None else [])
    unknown = ["pool-unknown"] if pool is None else []
    _add(sheet, "size", usd_text(found.cents) if found and pool is not None else None, "usd", unknown)
    _add(sheet, "size-bound", found.bound if found and pool is not None else None, "", unknown)


def _joint(sheet: Sheet, asked: Plan, found: Subject) -> None:
    """Writes what the token would lose together with its sector: tokens are not independent."""
    fall = found.sector_fall if asked.sector_fall is None else asked.sector_fall
    measured = "no-data" if fall is None else "worst-of-365-days"
    flags = [measured if asked.sector_fall is None else "assumed"]
    loss = None if fall is None or found.beta is None else joint_loss(found.beta, fall)
    _add(sheet, "beta", plain(found.beta), "ratio", [] if found.beta is not None else ["no-data"])
    _add(sheet, "sector-fall", plain(fall), "ratio", flags)
    _add(sheet, "joint-loss", plain(loss), "ratio", flags)


def _grids(sheet: Sheet, rows: Sequence[Row], pool: float | None, found: Subject) -> None:
    columns = ("starts", "tokens", "hits_10", "hits_100", "left", "below_half", "survivor_hits")
    table = [(str(row["band"]), str(row["year"]), *(str(row[name]) for name in columns)) for row in rows]
    sheet.grid("base-rates", ("band", "year", *columns), ("", "year", *["starts"] * len(columns)), table)
    cells = [
        (usd_text(budget), str(multiple), usd(None if found.cap is None else multiple * found.cap),
         plain(None if pool is None else realised(budget * multiple / 100, pool)))
        for budget in BUDGETS for multiple in MULTIPLES
    ]  # fmt: skip
    sheet.grid("exits", ("budget", "multiple", "required_cap", "exit_part"), ("usd", "ratio", "usd", "ratio"), cells)


def _count(row: Row, name: str) -> int:
    return int(str(row[name]))


def _ratio(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole
