"""Platform share (M8): which part of a chain's AI tokens a launch platform brought, by count and by cap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis

from mercato.market.metrics import params
from mercato.market.metrics.base import Inputs, Sheet, require_sector
from mercato.market.metrics.index import coverage_of
from mercato.market.metrics.level import TOTAL, Row, assets_of, flags_of, members, ratio
from mercato.market.metrics.numbers import plain, usd
from mercato.market.model import Query, Result

DEFINITION = "M8.1"
FORMULA = (
    "Share of platform P on chain C = sum of c of the tokens launched on P / sum of c of C's tokens of the sector, and "
    "the same by count. Twice: with the platform's own token, and without it on both sides. Its own token is "
    "the one that `--param own.PLATFORM=ASSET` names, else the known one, else the asset with the platform's id."
)
ANY_CHAIN = "all"
#: Tokens of the platforms themselves, not launched on them; by asset id, because tickers clash.
OWN_TOKENS = {"virtuals": ("virtual-protocol",), "auto.fun": ("ai16z", "elizaos")}


def own_tokens(given: Mapping[str, str]) -> dict[str, str]:
    """Returns platforms by own token; parameters such as `own.virtuals` = `virtual-protocol,other` come first."""
    asked = {name.removeprefix("own."): text.split(",") for name, text in given.items() if name.startswith("own.")}
    known = {**OWN_TOKENS, **asked}
    return {asset: name for name in sorted(known) for asset in known[name] if asset}


def launched(rows: ibis.Table, own: Mapping[str, str]) -> ibis.Table:
    """Returns the active `members` with their platform and chain, and whether they are a platform's own token.

    `own` gives platforms by token. An own token belongs to its platform even where its row names none.
    """
    live = rows.filter(rows.active)
    platforms = rows.filter(rows.platform.notnull(), rows.platform != "").select(same_id=rows.platform).distinct()
    platforms = platforms.filter(platforms.same_id.notin([*own.values(), ""]))
    joined = live.left_join(platforms, [("asset_id", "same_id")])
    named = ibis.cases(*((joined.asset_id == asset, name) for asset, name in [*own.items(), ("", "")]))
    return joined.select(
        "asset_id", "symbol", "day", "cap",
        chain=ibis.coalesce(joined.home_chain, "").nullif("").fill_null("unknown"),
        platform=ibis.coalesce(named, joined.same_id, joined.platform, ""),
        own=named.notnull() | joined.same_id.notnull(),
    )  # fmt: skip


def sums(tokens: ibis.Table) -> ibis.Table:
    """Returns count and exact cap of `launched` tokens by chain and platform, own tokens apart."""
    cap = tokens.cap.cast(TOTAL)
    zero = ibis.literal(0).cast(TOTAL)
    return tokens.group_by("chain", "platform").agg(
        count=tokens.count(),
        cap=cap.sum(),
        own_count=tokens.own.cast("int64").sum(),
        own_cap=ibis.cases((tokens.own, cap), else_=zero).sum(),
    )


def platform_share(inputs: Inputs, query: Query) -> Result:
    """Returns the share of each platform on each chain and on all of them, by count and by cap (M8)."""
    params.known(query, [name for name in query.params if name.startswith("own.")] or ["own.PLATFORM"])
    require_sector(inputs, query.sector)
    rows = members(inputs.panel, query.sector, query.as_of, query.as_of)
    today = inputs.engine.rows(rows.order_by("asset_id"))
    tokens = launched(rows, own_tokens(query.params))
    found: list[Row] = list(inputs.engine.rows(sums(tokens).order_by("chain", "platform")))
    names = inputs.engine.rows(tokens.filter(tokens.own).order_by("platform", "asset_id"))
    sheet = Sheet("platform-share", DEFINITION, query, inputs.evidence("panel", assets_of(today)))
    coverage = coverage_of(today)
    flags = flags_of(today, coverage)
    owners: dict[str, list[str]] = {}
    for row in names:
        owners.setdefault(str(row["platform"]), []).append(str(row["asset_id"]))
    if not any(row["platform"] for row in found):
        dims = {"chain": ANY_CHAIN, "basis": "cap", "own_token": "with", "mode": "home"}
        sheet.add("share", None, "share", dims=dims, coverage=plain(coverage), flags=[*flags, "no-platform"])
    table = [line for chain in _chains(found) for line in _lines(sheet, chain, found, owners, plain(coverage), flags)]
    sheet.grid(
        "platforms",
        ("chain", "platform", "tokens", "cap", "count_with_own", "cap_with_own", "count_without_own",
         "cap_without_own", "own_token"),
        ("", "", "count", "usd", "share", "share", "share", "share", ""),
        table,
    )  # fmt: skip
    return sheet.result(coverage=plain(coverage), flags=flags)


def _chains(found: Sequence[Row]) -> list[str]:
    return [ANY_CHAIN, *sorted({row["chain"] for row in found})]


def _lines(
    sheet: Sheet,
    chain: str,
    found: Sequence[Row],
    owners: Mapping[str, Sequence[str]],
    coverage: str | None,
    flags: Sequence[str],
) -> list[tuple[str | None, ...]]:
    here = [row for row in found if chain in {ANY_CHAIN, row["chain"]}]
    whole = _total(here)
    lines: list[tuple[str | None, ...]] = []
    for name in sorted({row["platform"] for row in here if row["platform"]}):
        part = _total([row for row in here if row["platform"] == name])
        marks = [*flags, *([] if name in owners else ["own-token-unknown"])]
        values: list[str | None] = []
        for side, own in (("with", 0), ("without", 1)):
            for basis in ("count", "cap"):
                aside = own * part[f"own_{basis}"]
                share = plain(ratio(part[basis] - aside, whole[basis] - aside))
                dims = {"chain": chain, "platform": name, "basis": basis, "own_token": side, "mode": "home"}
                sheet.add("share", share, "share", dims=dims, coverage=coverage, flags=marks)
                values.append(share)
        lines.append(
            (chain, name, str(part["count"]), usd(part["cap"]), *values, ",".join(owners.get(name, [])) or None)
        )
    return lines


def _total(rows: Sequence[Row]) -> dict[str, int]:
    return {name: sum(int(row[name]) for row in rows) for name in ("count", "cap", "own_count", "own_cap")}
