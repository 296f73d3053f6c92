"""Against the giants (M6): the sector beside listed companies, Bitcoin and total crypto, on days when all traded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import ibis

from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet, require_sector
from mercato.market.metrics.level import TOTAL, Row, daily_level, is_provisional, members, ratio
from mercato.market.metrics.numbers import plain, shortest, usd
from mercato.market.model import Query, Result

DEFINITION = "M6.1"
FORMULA = (
    "Cap = unadjusted close x shares known by that day (by filing date); classes of one company are added up, a lower "
    "bound where a class with known shares has no price. Weekends and holidays carry the last close, flagged. Ratios "
    "compare on the last session shared by all companies of which there is data: sector level / cap. Return = "
    "unadjusted close against `days` before, without dividends. AI exposure is unknown unless a source states it."
)
DAYS = 90
COMPANIES = 5
REFERENCES = ("bitcoin", "total-crypto")
EXPOSURE = "ai_exposure"
SHARES = "shares_outstanding"
ALL = "all"


def issuer(rows: ibis.Table) -> ibis.ir.StringValue:
    """Returns who issued a share: the `platform` of the row, which classes of one company have in common."""
    return ibis.coalesce(rows.platform.nullif(""), rows.asset_id)


def companies(panel: ibis.Table, first: date, last: date) -> ibis.Table:
    """Returns cap and last close of each listed company and day.

    Two classes with the same count from the same document are that document's sum of classes, and count once.
    """
    shares = panel.filter(panel.kind == "equity", panel.day >= first, panel.day <= last, panel.state != "inactive")
    rows = shares.mutate(issuer=issuer(shares), lone=ibis.cases((shares.supply.isnull(), shares.asset_id), else_=""))
    filed = rows.group_by("day", "issuer", "supply", "supply_sha", "lone").agg(
        cap=rows.cap.max(),
        listed=rows.asset_id.min(),
        # A company of which only a vendor's cap is known has traded on the day of that cap.
        price_age=ibis.coalesce(rows.price_age, rows.supply_age).max(),
        supply_age=rows.supply_age.max(),
    )
    caps = filed.group_by("day", "issuer").agg(
        cap=filed.cap.cast(TOTAL).sum(),
        unknown=filed.cap.isnull().cast("int64").sum(),
        price_age=filed.price_age.max(),
        supply_age=filed.supply_age.max(),
        listed=filed.listed.min(),
    )
    closes = rows.select("day", "price", listed=rows.asset_id)
    return caps.join(closes, ["day", "listed"])


def sessions(found: ibis.Table, count: int) -> ibis.Table:
    """Returns the days on which all `count` companies have a close of that very day."""
    traded = found.filter(found.price_age == 0)
    by_day = traded.group_by("day").agg(traded=traded.issuer.nunique())
    return by_day.filter(by_day.traded == count).select("day")


def references(panel: ibis.Table, first: date, last: date) -> ibis.Table:
    """Returns the caps of Bitcoin, of total crypto and of every other reference by day, where they are known."""
    wanted = panel.asset_id.isin(REFERENCES) | (panel.kind == "reference")
    rows = panel.filter(wanted, panel.day >= first, panel.day <= last)
    return rows.filter(rows.cap.notnull(), rows.state != "inactive").select("day", "asset_id", "cap", "state")


def exposures(inputs: Inputs, last: date) -> dict[str, float]:
    """Returns the AI exposure of companies by asset id where a source states one, usually nothing."""
    rows = inputs.curated.filter(inputs.curated.field == EXPOSURE, inputs.curated.day <= last)
    return {str(row["asset_id"]): float(str(row["value"])) for row in inputs.engine.rows(rows.order_by("day"))}


def unpriced(inputs: Inputs, last: date) -> set[str]:
    """Returns the shares of which a count is known, but neither a price nor a cap: their company's cap lacks them."""
    counted = inputs.curated.filter(inputs.curated.field == SHARES, inputs.curated.day <= last)
    priced = inputs.panel.filter(inputs.panel.day <= last, inputs.panel.cap.notnull()).select("asset_id").distinct()
    rows = counted.select("asset_id").distinct().anti_join(priced, "asset_id")
    return {str(row["asset_id"]) for row in inputs.engine.rows(rows)}


def giants(inputs: Inputs, query: Query) -> Result:
    """Returns caps and returns of the giants, and the sector's size as a ratio to each, to all and to crypto (M6)."""
    params.known(query, ())
    require_sector(inputs, query.sector)
    first = query.as_of - timedelta(days=query.days or DAYS)
    names = _names(inputs)
    found = companies(inputs.panel, first, query.as_of)
    rows: dict[tuple[date, str], Row] = {
        (row["day"], row["issuer"]): row for row in _rows(inputs, found.order_by("day", "issuer"))
    }
    # Companies that nobody has spoken of share no session; the others are compared, and the flag names the gap.
    known = {name: names[name] for name in names if any(name == issuer for _, issuer in rows)}
    common = [row["day"] for row in _rows(inputs, sessions(found, len(known)).order_by("day"))]
    levels = {
        row["day"]: row for row in _rows(inputs, daily_level(members(inputs.panel, query.sector, first, query.as_of)))
    }
    others = {(row["day"], row["asset_id"]): row for row in _rows(inputs, references(inputs.panel, first, query.as_of))}
    beside = [*REFERENCES, *sorted({name for _, name in others} - set(REFERENCES))]
    sheet = Sheet("giants", DEFINITION, query, inputs.evidence("panel", _behind(inputs, query, beside)))
    session = common[-1] if common else None
    flags = _flags(names, known, session, query.as_of, levels.get(session) if session else None)
    sheet.add("common-session", session.isoformat() if session else None, "date", flags=flags)
    level = levels[session]["level"] if session in levels else None
    sheet.add("sector-level", usd(level), "usd", flags=flags)
    stated = exposures(inputs, query.as_of)
    lacking = unpriced(inputs, query.as_of)
    partial = {name: ["lower-bound"] if lacking & set(names[name]) else [] for name in names}
    for name in names:
        _company(sheet, name, rows, first, session, partial[name])
        value = next((stated[asset] for asset in names[name] if asset in stated), None)
        sheet.add(
            "ai-exposure", plain(value), "ratio", dims={"giant": name}, flags=[] if value is not None else ["unknown"]
        )
        _against(sheet, {"giant": name}, level, _cap(rows, session, name), [*flags, *_inverse(partial[name])])
    total = _sum([_cap(rows, session, name) for name in known])
    part = f"{len(known)}/{len(names)}"
    bound = ["lower-bound"] if any(partial[name] for name in known) else []
    sheet.add("cap", usd(total), "usd", dims={"giant": ALL}, coverage=part, flags=[*flags, *bound])
    _against(sheet, {"giant": ALL}, level, total, [*flags, *_inverse(bound)])
    for name in beside:
        other = others.get((session, name)) if session else None
        sheet.add("cap", usd(other["cap"] if other else None), "usd", dims={"reference": name}, flags=flags)
        _against(sheet, {"reference": name}, level, other["cap"] if other else None, flags)
    _grids(sheet, list(known), beside, common, rows, levels, others)
    return sheet.result(flags=flags)


def _rows(inputs: Inputs, expression: ibis.Table) -> Sequence[Row]:
    return inputs.engine.rows(expression)


def _names(inputs: Inputs) -> dict[str, list[str]]:
    """Returns the asset ids of each listed company of the universe, also of those without data."""
    listed = inputs.assets.filter(inputs.assets.kind == "equity")
    found: dict[str, list[str]] = {}
    for row in _rows(inputs, listed.mutate(issuer=issuer(listed)).order_by("issuer", "asset_id")):
        found.setdefault(row["issuer"], []).append(row["asset_id"])
    return found


def _behind(inputs: Inputs, query: Query, beside: Sequence[str]) -> list[str]:
    rows = members(inputs.panel, query.sector, None, query.as_of)
    tokens = {row["asset_id"] for row in _rows(inputs, rows.select("asset_id").distinct())}
    return sorted(tokens | {asset for assets in _names(inputs).values() for asset in assets} | set(beside))


def _flags(
    names: Mapping[str, object], known: Mapping[str, object], session: date | None, as_of: date, level: Row | None
) -> list[str]:
    marks = {
        "not-five-companies": len(known) != COMPANIES,
        "companies-missing": len(known) != len(names),
        "no-common-session": session is None,
        "carried": session is not None and session != as_of,
        "provisional": level is not None and is_provisional(ratio(level["fresh"], level["level"])),
    }
    return [name for name, holds in marks.items() if holds]


def _cap(rows: Mapping[tuple[date, str], Row], day: date | None, name: str) -> int | None:
    row = rows.get((day, name)) if day else None
    return None if row is None or row["cap"] is None else int(row["cap"])


def _sum(caps: Sequence[int | None]) -> int | None:
    known = [cap for cap in caps if cap is not None]
    return sum(known) if known and len(known) == len(caps) else None


def _inverse(bound: Sequence[str]) -> list[str]:
    """Returns the flag of a ratio whose denominator is only bounded."""
    return ["upper-bound" for _ in bound]


def _company(
    sheet: Sheet,
    name: str,
    rows: Mapping[tuple[date, str], Row],
    first: date,
    session: date | None,
    partial: Sequence[str],
) -> None:
    dims, now = {"giant": name}, rows.get((sheet.query.as_of, name))
    start, at_session = rows.get((first, name)), rows.get((session, name)) if session else None
    marks = {
        "no-data": now is None,
        "shares-unknown": now is not None and now["cap"] is None,
        "class-unknown": now is not None and now["cap"] is not None and now["unknown"] > 0,
        "carried": now is not None and now["price_age"] > 0,
    }
    flags = [flag for flag, holds in marks.items() if holds]
    sheet.add("cap", usd(now["cap"] if now else None), "usd", dims=dims, flags=[*flags, *partial])
    sheet.add("close", shortest(now["price"] if now else None), "usd", dims=dims, flags=[*flags, "unadjusted"])
    known = now is not None and start is not None and now["price"] is not None and start["price"]
    change = now["price"] / start["price"] - 1 if now is not None and start is not None and known else None
    marks_of_return = [*flags, "unadjusted", *([] if known else ["no-data-at-start"])]
    sheet.add("price-return", plain(change), "ratio", dims=dims, flags=marks_of_return)
    age = at_session["supply_age"] if at_session else None
    sheet.add("shares-age", plain(age), "days", dims=dims, flags=[] if age is not None else ["shares-unknown"])


def _against(sheet: Sheet, dims: Mapping[str, str], level: int | None, cap: int | None, flags: Sequence[str]) -> None:
    missing = [] if cap is not None else ["cap-unknown"]
    sheet.add("sector-ratio", plain(ratio(level, cap)), "ratio", dims=dims, flags=[*flags, *missing])


def _grids(
    sheet: Sheet,
    names: Sequence[str],
    references_of: Sequence[str],
    common: Sequence[date],
    rows: Mapping[tuple[date, str], Row],
    levels: Mapping[date, Row],
    others: Mapping[tuple[date, str], Row],
) -> None:
    table = []
    for day in common:
        level = levels[day]["level"] if day in levels else None
        caps = [_cap(rows, day, name) for name in names]
        beside = [others[day, name]["cap"] if (day, name) in others else None for name in references_of]
        table.append((day.isoformat(), usd(level), *map(usd, caps), *map(usd, beside), plain(ratio(level, _sum(caps)))))
    columns = ("day", "sector", *names, *references_of, "sector_to_all")
    sheet.grid("sessions", columns, ("date", *["usd"] * (len(columns) - 2), "ratio"), table)
    closes = [(day.isoformat(), *(shortest(rows[day, name]["price"]) for name in names)) for day in common]
    sheet.grid("closes", ("day", *names), ("date", *["usd"] * len(names)), closes)
