"""SEC: shares outstanding from company facts, and by class from the covers of filings.

Shapes: SEC's XBRL API (`/api/xbrl/companyfacts`, `/submissions`) and inline XBRL as filed. No key; at most 10 calls a
second; a User-Agent with a contact is required, so `sources.contact` must be set. The texts are in the public domain.

Company facts leave out everything that is reported by class of stock. A company with several classes therefore has no
current cover count there; for those the covers of its last filings are read, and the classes are added up. A cap from
such a sum prices every class at one class's price, unless the universe has an asset for each (`sec_class`). A
restatement is the same day filed again later: both are kept, each known from the day it was filed (`observed_at`).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from mercato.market.connectors.connector import Connector, Context, Request, pack_assets
from mercato.market.connectors.http import Limits
from mercato.market.connectors.rows import (
    Malformed,
    Rows,
    asset_map,
    entries,
    iso,
    mapping,
    number,
    observations,
    read_json,
    require,
    sequence,
)
from mercato.market.connectors.settings import SourceSettings
from mercato.market.model import Asset, RawDocument

FACT = "EntityCommonStockSharesOutstanding"
FORMS = ("10-K", "10-Q", "10-K/A", "10-Q/A")
COVERS_PER_RUN = 16
STALE = timedelta(days=200)
CONTEXT = re.compile(r"<xbrli:context\b[^>]*?\bid=\"([^\"]+)\"[^>]*>(.*?)</xbrli:context>", re.DOTALL)
INSTANT = re.compile(r"<xbrli:instant>\s*(\d{4}-\d\d-\d\d)")
CLASS = re.compile(r"dimension=\"us-gaap:StatementClassOfStockAxis\"[^>]*>\s*([^<\s]+)")
SHARES = re.compile(rf"<ix:nonFraction\b([^>]*\bname=\"dei:{FACT}\"[^>]*)>(.*?)</ix:nonFraction>", re.DOTALL)
ATTRIBUTE = re.compile(r"\b(\w+)=\"([^\"]*)\"")
TAG = re.compile(r"<[^>]*>")


@observations("sec.companyfacts/1")
def companyfacts(raw: RawDocument, rows: Rows) -> None:
    """Reads the share counts of filings' covers. Different values of one filing and day are its classes: added up."""
    (asset,) = set(asset_map(raw).values())
    found: dict[tuple[str, str, str], dict[float, int]] = {}
    for row, fact in entries(_facts(mapping(read_json(raw), "the answer")), "a fact", rows):
        try:
            end, filed, filing = (str(require(fact, key, "a fact", row)) for key in ("end", "filed", "accn"))
            iso(end, row), iso(filed, row)
            found.setdefault((end, filed, filing), {})[number(require(fact, "val", "a fact", row))] = row
        except Malformed as error:
            rows.reject(row, str(error), str(dict(fact)))
    for (end, filed, _), classes in sorted(found.items()):
        row = min(classes.values())
        rows.add(asset, "shares_outstanding", iso(end), sum(classes), row, observed_at=iso(filed))


def _facts(answer: Mapping[str, object]) -> list[object]:
    """Returns the facts about shares on the cover; none where the company reports by class."""
    facts = mapping(require(answer, "facts", "the answer"), "facts")
    cover = mapping(mapping(facts.get("dei") or {}, "dei").get(FACT) or {}, FACT)
    units = mapping(cover.get("units") or {}, "units")
    return sequence(units.get("shares") or [], "shares")


@observations("sec.submissions/1")
def submissions(raw: RawDocument, rows: Rows) -> None:
    """Reads a list of filings: it holds no numbers of ours, and only leads to the covers. Entries are skipped."""
    rows.skip(len(_filings(mapping(read_json(raw), "the answer"))))


@observations("sec.cover/1")
def cover(raw: RawDocument, rows: Rows) -> None:
    """Reads the shares of every class from the cover of a filing in inline XBRL.

    A class goes to the asset that names it (`sec_class` in the universe), any other to the company's asset; classes of
    one asset are added up by day.
    """
    assets = asset_map(raw)
    text = raw.content.decode("utf-8", "replace")
    contexts = {name: body for name, body in CONTEXT.findall(text) if "instant" in body}
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row, (attributes, value) in enumerate(SHARES.findall(text), 1):
        try:
            day, kind, shares = _class_shares(dict(ATTRIBUTE.findall(attributes)), value, contexts)
        except Malformed as error:
            rows.reject(row, str(error), value)
            continue
        asset = assets.get(kind.rpartition(":")[2], assets.get(""))
        if asset is None:
            rows.skip()
        else:  # a class is often tagged twice, with one value
            found.setdefault((asset, day), {})[kind] = shares
    if not found:
        raise Malformed(f"schema change: the cover had no dei:{FACT} of a known class")
    for row, ((asset, day), classes) in enumerate(sorted(found.items()), 1):
        rows.add(
            asset, "shares_outstanding", iso(day), sum(classes.values()), row, observed_at=iso(raw.options["filed"])
        )


def _class_shares(attributes: Mapping[str, str], value: str, contexts: Mapping[str, str]) -> tuple[str, str, float]:
    """Returns day, class (empty where the company has one) and shares of one tagged number."""
    body = contexts.get(attributes.get("contextRef", ""))
    day = INSTANT.search(body or "")
    if body is None or day is None:
        raise Malformed(f"schema change: the context {attributes.get('contextRef')!r} was missing or had no day")
    kind = CLASS.search(body)
    digits = html.unescape(TAG.sub("", value)).replace(",", "").strip()
    scale = attributes.get("scale") or "0"
    if not re.fullmatch(r"-?\d{1,2}", scale):
        raise Malformed(f"not a number: the scale was {scale!r}")
    return day[1], kind[1] if kind else "", number(digits) * 10.0 ** int(scale)


def plan(context: Context) -> Sequence[Request]:
    """Returns the company facts of every equity with a `sec_cik` id. `since` bounds the covers that follow."""
    first = context.since or date(2023, 1, 1)
    notes = {
        "since": first.isoformat(),
        "files": context.settings.sec_files_url,
        "today": context.now.date().isoformat(),
    }
    return [_company(context.settings.sec_data_url, cik, known, notes) for cik, known in companies(context.assets)]


def _company(base: str, cik: str, known: Mapping[str, str], notes: Mapping[str, str]) -> Request:
    """Returns what to ask first: company facts, or the list of filings where classes are assets of their own."""
    name = f"CIK{int(cik):010d}.json"
    notes = {**notes, "cik": cik}
    if set(known) != {""}:
        return Request(f"{base}/submissions/{name}", "sec.submissions/1", options=pack_assets(known), notes=notes)
    return Request(
        f"{base}/api/xbrl/companyfacts/{name}", "sec.companyfacts/1", options=pack_assets(known), notes=notes
    )


def companies(assets: Sequence[Asset]) -> list[tuple[str, dict[str, str]]]:
    """Returns for each CIK the asset ids by class of stock; the empty class is the company as a whole.

    `sec_class` names one or more classes by the last part of their XBRL member, such as `CommonClassAMember`.
    """
    found: dict[str, dict[str, str]] = {}
    for asset in sorted(assets, key=lambda item: item.asset_id):
        if cik := asset.ids.get("sec_cik"):
            classes = asset.ids.get("sec_class", "").split() or [""]
            found.setdefault(cik, {}).update(dict.fromkeys(classes, asset.asset_id))
    return sorted(found.items())


def follow(request: Request, content: bytes) -> Sequence[Request]:
    """Returns the list of filings where company facts end too early, and the covers that such a list names."""
    try:
        answer = mapping(json.loads(content), "the answer")
        if request.parser == "sec.companyfacts/1":
            return _after_facts(request, _facts(answer))
        if request.parser == "sec.submissions/1":
            return _after_filings(request, _filings(answer))
    except (ValueError, Malformed):  # the parser has quarantined it
        return ()
    return ()


def _after_facts(request: Request, facts: list[object]) -> Sequence[Request]:
    newest = max((str(fact.get("end", "")) for fact in facts if isinstance(fact, dict)), default="")
    if newest and datetime.fromisoformat(newest).date() + STALE > date.fromisoformat(request.notes["today"]):
        return ()
    base, _, name = request.url.partition("/api/xbrl/companyfacts/")
    return [Request(f"{base}/submissions/{name}", "sec.submissions/1", options=request.options, notes=request.notes)]


def _after_filings(request: Request, filings: list[dict[str, str]]) -> Sequence[Request]:
    wanted = [item for item in filings if item["form"] in FORMS and item["filingDate"] >= request.notes["since"]]
    folder = f"{request.notes['files']}/Archives/edgar/data/{int(request.notes['cik'])}"
    return [
        Request(
            f"{folder}/{item['accessionNumber'].replace('-', '')}/{item['primaryDocument']}",
            "sec.cover/1",
            options={"assets": request.options["assets"], "filed": item["filingDate"]},
            accept="text/html",
        )
        for item in wanted[:COVERS_PER_RUN]
        if re.fullmatch(r"[\w.-]+", item["primaryDocument"])
    ]


def _filings(answer: Mapping[str, object]) -> list[dict[str, str]]:
    """Returns the recent filings, newest first. SEC sends them as parallel arrays."""
    recent = mapping(mapping(require(answer, "filings", "the answer"), "filings").get("recent"), "recent")
    names = ("accessionNumber", "filingDate", "form", "primaryDocument")
    columns: list[list[Any]] = [sequence(require(recent, name, "recent"), name) for name in names]
    if len({len(column) for column in columns}) > 1:
        raise Malformed("schema change: the arrays of filings had different lengths")
    return [dict(zip(names, map(str, cells), strict=True)) for cells in zip(*columns, strict=True)]


def limits(settings: SourceSettings) -> Limits:
    """Returns a fifth of what SEC allows."""
    return Limits(per_minute=settings.sec_per_minute, burst=2, max_bytes=100_000_000)


def missing(settings: SourceSettings) -> str:
    """Returns what must be set before this source can be asked, empty where nothing is missing."""
    return "" if "@" in settings.contact else "sources.contact is not an e-mail address; SEC refuses requests without"


CONNECTOR = Connector(
    "sec",
    "sec",
    "SEC shares outstanding",
    "SEC filings: public domain",
    timedelta(days=7),
    plan,
    limits,
    follow=follow,
    missing=missing,
)
