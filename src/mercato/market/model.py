"""Values of the market room: what a source said, what was refused, and what a figure is. Pure, no I/O."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from mercato.core.events import Event

if TYPE_CHECKING:
    import pyarrow as pa

#: Fields of canonical rows. Anything else is quarantined with the list of these.
FIELDS = (
    "price_usd",
    "price_high_usd",
    "price_low_usd",
    "supply_circulating",
    "supply_onchain",
    "supply_self_reported",
    "supply_total",
    "supply_max",
    "shares_outstanding",
    "market_cap_usd",
    "volume_usd_24h",
    "liquidity_usd",
    "tvl_usd",
    "commits",
    "active_developers",
    "messages",
    "active_posters",
)

#: The source of made-up data, alone or before a colon (`simulated:season`).
SIMULATED = "simulated"

Kind = Literal["token", "equity", "reference"]


@dataclass(frozen=True, slots=True)
class Asset:
    """One thing with a price or a size. `asset_id` is ours; tickers clash, so nothing is ever joined by `symbol`."""

    asset_id: str
    symbol: str
    name: str
    kind: Kind
    sector: str = ""
    home_chain: str = ""
    platform: str = ""
    wraps: str = ""
    active_from: date | None = None
    active_to: date | None = None
    deployments: tuple[str, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RawDocument:
    """The bytes that a source sent, as they came, and how they were asked for. Holds no key and no cookie."""

    content: bytes
    source: str
    parser: str
    observed_at: datetime
    request: str
    media_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def sha(self) -> str:
        """Returns the SHA-256 of the content, in hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken, with its place and the reason. `row` 0 speaks of the whole document."""

    row: int
    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser made of a raw document: Arrow rows by segment table (schema.SEGMENT_TABLES) and the rejects.

    `skipped` counts entries that are well formed but speak of things the universe does not hold: no fault of theirs.
    `assets` are those that the document itself introduces; they are kept as facts of the time it was observed.
    """

    tables: Mapping[str, pa.Table]
    rejected: Sequence[Rejected] = ()
    skipped: int = 0
    assets: Sequence[Asset] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one raw document. `fresh` is False where it was known already and nothing was written."""

    segment: str
    source: str
    sha: str
    fresh: bool
    rows: Mapping[str, int]
    rejected: int
    reasons: Mapping[str, int]
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One raw document as one parser read it: the unit that is committed, superseded and replayed."""

    id: str
    source: str
    parser: str
    sha: str
    options: Mapping[str, str]
    observed_at: datetime
    committed_at: datetime
    request: str
    licence: str
    media_type: str
    headers: Mapping[str, str]
    size: int
    rows: Mapping[str, int]
    rejected: int
    first_day: date | None = None
    last_day: date | None = None
    superseded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A refused row as it is kept: the file or request, the row in it, the reason and an excerpt of the text."""

    segment: str
    file: str
    row: int
    reason: str
    text: str
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDataArrived(Event):
    """New observations were committed; panels, pages and alerts that look at these days are out of date."""

    room: ClassVar[str] = "market"

    segment: str
    source: str
    rows: int
    rejected: int
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class InputSet:
    """The raw documents behind a figure. `hash` covers their hashes, the parsers and the universe version.

    `simulated` tells that at least one of them is made up; every figure on it then says so.
    """

    hash: str
    raw_shas: tuple[str, ...]
    universe: str
    rows: int
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a metric. `params` are metric-specific and part of every figure id."""

    as_of: date
    sector: str = "ai"
    days: int | None = None
    known_at: datetime | None = None
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that a person may see. Values are text: exact decimals, or None where the number is unknown."""

    id: str
    metric: str
    name: str
    value: str | None
    unit: str
    as_of: date
    definition: str
    inputs: str
    dims: Mapping[str, str] = field(default_factory=dict)
    coverage: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """A series or ranking behind a figure: column names, units and rows of text (None where unknown)."""

    name: str
    figure: str
    columns: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]


#: The figure of each metric that answers its question in one number, and the dimensions that single it out.
HEADLINES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "sector-level": ("level", {}),
    "sector-index": ("index", {"variant": "capped"}),
    "decompose": ("change", {}),
    "drawdown": ("drawdown", {"of": "level"}),
    "dominance": ("share", {}),
    "platform-share": ("share", {"chain": "all", "basis": "cap", "own_token": "with"}),
    "flat-range": ("flat", {}),
    "regime": ("breaks", {}),
    "mindshare": ("share", {}),
    "rebounds": ("rebounded-share", {"band": "all"}),
    "developers": ("up-only-projects", {}),
    "giants": ("sector-ratio", {"giant": "all"}),
    "scenario": ("required-cap", {}),
    "quality": ("unverified-supply", {}),
    "token": ("price", {}),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What a metric answers: figures, the grids behind them, coverage, flags and the inputs."""

    metric: str
    query: Query
    definition: str
    figures: tuple[Figure, ...]
    inputs: InputSet
    grids: tuple[Grid, ...] = ()
    coverage: str | None = None
    flags: tuple[str, ...] = ()

    @property
    def headline(self) -> Figure | None:
        """Returns the figure that answers the question in one number; None where the metric wrote no figure."""
        name, dims = HEADLINES.get(self.metric, ("", {}))
        of_name = [item for item in self.figures if item.name == name]
        exact = [item for item in of_name if dims.items() <= dict(item.dims).items()]
        return next(iter([*exact, *of_name, *self.figures]), None)

    def figure(self, name: str, **dims: str) -> Figure:
        """Returns the figure of that name and those dimensions; KeyError names what is there."""
        for item in self.figures:
            if item.name == name and dict(item.dims) == dims:
                return item
        raise KeyError(f"no figure {name!r} with {dims!r} in {sorted({f.name for f in self.figures})!r}")


def figure_id(metric: str, name: str, dims: Mapping[str, str], query: Query, definition: str, inputs: str) -> str:
    """Returns the id of a figure: the same question on the same inputs has the same id, on any machine."""
    body = [metric, name, sorted(dims.items()), query.as_of.isoformat(), query.sector, query.days,
            sorted(query.params.items()), definition, inputs]  # fmt: skip
    digest = hashlib.sha256(json.dumps(body, separators=(",", ":")).encode()).digest()
    return "fig_" + base64.b32encode(digest[:10]).decode().lower()
