"""The columns of every analytical table in the room. Times are UTC; a missing value is NULL, never NaN.

Layers: raw bytes -> segments (OBSERVATIONS, DAILY, DOCUMENTS, COMMITS, ...) -> CURATED -> PANEL -> metrics.
"""

from __future__ import annotations

import ibis

#: What one source said of one field of one asset at one time. `row` is the 1-based data row of the raw document.
#: `observed_at` is set only where the document itself dates the publication (the filing date of a share count), so
#: that old filings read today are known from the day they were filed; NULL means when the document was fetched.
OBSERVATIONS = ibis.schema(
    {
        "asset_id": "string",
        "field": "string",
        "valid_time": "timestamp('UTC')",
        "value": "float64",
        "row": "int64",
        "observed_at": "timestamp('UTC')",
    }
)

#: The last observation of each (asset, field, day) inside one segment: what the curated layer reads. It has the columns
#: of CURATED too, as the choice among one source, so that where nothing needs choosing the file serves as it is.
DAILY = ibis.schema(
    {
        "asset_id": "string",
        "field": "string",
        "day": "date",
        "value": "float64",
        "low": "float64",
        "high": "float64",
        "valid_time": "timestamp('UTC')",
        "observations": "int64",
        "source": "string",
        "observed_at": "timestamp('UTC')",
        "raw_sha": "string",
        "sources": "int64",
        "spread": "float64",
        "rule": "string",
    }
)

#: The best value of each (asset, field, day) among all sources, with the rule that chose it.
CURATED = ibis.schema(
    {
        "asset_id": "string",
        "field": "string",
        "day": "date",
        "value": "float64",
        "low": "float64",
        "high": "float64",
        "valid_time": "timestamp('UTC')",
        "observed_at": "timestamp('UTC')",
        "sources": "int64",
        "spread": "float64",  # max/min - 1 among sources, 0 with one source
        "rule": "string",
        "source": "string",
        "raw_sha": "string",
    }
)

#: Who is who. `wraps` names the asset behind a wrapped one, which then has no weight in any sum.
ASSETS = ibis.schema(
    {
        "asset_id": "string",
        "symbol": "string",
        "name": "string",
        "kind": "string",
        "sector": "string",
        "home_chain": "string",
        "platform": "string",
        "wraps": "string",
        "active_from": "date",
        "active_to": "date",
    }
)

#: From `day` on, one unit of `from_asset` is `factor` units of `to_asset` (a swap, or a split where both are the same).
MIGRATIONS = ibis.schema({"from_asset": "string", "to_asset": "string", "day": "date", "factor": "float64"})

#: One row per asset and calendar day from its first price (or vendor cap) to the as-of day, with no gaps.
PANEL = ibis.schema(
    {
        "asset_id": "string",
        "day": "date",
        "symbol": "string",
        "kind": "string",
        "sector": "string",
        "home_chain": "string",
        "platform": "string",
        "weight": "int64",  # 0 for wrapped assets and outside active_from..active_to, else 1
        "price": "float64",  # last price in USD, carried
        "price_high": "float64",  # intraday high of the day, NULL on carried days
        "price_age": "int64",  # days since the last price
        "price_sha": "string",
        "supply": "float64",  # best circulating supply known by then, carried
        "supply_tier": "string",  # A on-chain, B vendor verified, C self-reported, D total, V vendor cap only
        "supply_age": "int64",
        "supply_sha": "string",
        "supply_max": "float64",
        "volume": "float64",  # 24 h volume in USD on that day, NULL if none
        "cap": "int64",  # micro-USD; 0 when inactive; NULL when it cannot be known
        "state": "string",  # fresh (age <= 1), carried (2-3), stale (4-7), inactive (> 7)
        "listed_days": "int64",  # days since the first price
    }
)

#: Sums over the tokens with weight 1 of each sector and day; sums over sectors and spans of days are sums of these.
SECTOR_DAYS = ibis.schema(
    {
        "day": "date",
        "sector": "string",
        "level": "decimal(38, 0)",  # micro-USD, as are the next three
        "fresh": "decimal(38, 0)",
        "fully_diluted": "decimal(38, 0)",
        "bounded": "decimal(38, 0)",
        "own": "int64",
        "assets": "int64",
        "unknown": "int64",
        "inactive": "int64",
    }
)

#: The highest close and intraday price of each token with weight 1 up to some day, with the first day of each.
HIGHS = ibis.schema(
    {"asset_id": "string", "ath": "float64", "intraday": "float64", "ath_day": "date", "intraday_day": "date"}
)

#: A post, message or article. Text itself is not kept, only what counting needs.
DOCUMENTS = ibis.schema(
    {
        "source": "string",
        "doc_id": "string",
        "author": "string",
        "created_at": "timestamp('UTC')",
        "simhash": "int64",
        "official": "boolean",
        "paid": "boolean",
        "likes": "int64",
        "reposts": "int64",
        "replies": "int64",
        "raw_sha": "string",
        "row": "int64",
    }
)

#: Narrative weights of a document; the weights of one document sum to at most 1.
LABELS = ibis.schema({"source": "string", "doc_id": "string", "narrative": "string", "weight": "float64"})

#: Who engaged with a document (like, repost, reply), and how often.
ENGAGEMENTS = ibis.schema(
    {
        "source": "string",
        "doc_id": "string",
        "engager": "string",
        "author": "string",
        "count": "int64",
        "at": "timestamp('UTC')",
    }
)

#: One commit of one repository as git reports it; nothing is filtered here.
COMMITS = ibis.schema(
    {
        "project": "string",
        "repository": "string",
        "sha": "string",
        "author_name": "string",
        "author_email": "string",
        "authored_at": "timestamp('UTC')",
        "committed_at": "timestamp('UTC')",
        "parents": "int64",
        "on_default": "boolean",
        "subject": "string",
        "patch_id": "string",
        "coauthors": "string",
        "vendored_only": "boolean",
        "raw_sha": "string",
    }
)

#: Commits as metrics see them: with the time of the reading that said so, because a later one corrects an earlier one.
SEEN_COMMITS = ibis.schema({**COMMITS, "observed_at": "timestamp('UTC')"})

#: Which repositories belong to which project, and which asset a project stands for (NULL when none).
REPOSITORIES = ibis.schema(
    {"project": "string", "repository": "string", "asset_id": "string", "source": "string", "raw_sha": "string"}
)

#: The tables that a segment may hold, by file name.
SEGMENT_TABLES = {
    "observations": OBSERVATIONS,
    "documents": DOCUMENTS,
    "labels": LABELS,
    "engagements": ENGAGEMENTS,
    "commits": COMMITS,
    "repositories": REPOSITORIES,
}
