"""What an observation must be before it is kept. Rows that are not go to quarantine, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from mercato.market.model import FIELDS, Rejected
from mercato.market.schema import OBSERVATIONS

#: A clock at the source may run ahead of ours by this much.
TOLERANCE = timedelta(minutes=10)
#: Fields whose value must be above zero; all others may be zero but not negative.
POSITIVE = frozenset({"price_usd", "price_high_usd", "price_low_usd"})
#: Refused rows kept per reason and document; the rest are counted in one last entry.
KEPT_PER_REASON = 1000
EXCERPT = 200

ARROW = OBSERVATIONS.to_pyarrow()


@dataclass(frozen=True, slots=True)
class Rules:
    """Against what rows are checked: the assets that exist, and the moment after which a time is in the future."""

    assets: frozenset[str]
    now: datetime
    symbols: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass
class Refusals:
    """Collects refused rows, at most KEPT_PER_REASON of each kind of reason, and counts all of them."""

    kept: list[Rejected] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, row: int, reason: str, text: str = "") -> None:
        """Notes one refused row; `kind` is the short name of the reason."""
        count = self.counts[kind] = self.counts.get(kind, 0) + 1
        if count <= KEPT_PER_REASON:
            self.kept.append(Rejected(row, reason, text[:EXCERPT]))

    def all(self, rejected: Iterable[Rejected]) -> None:
        """Notes rows that a parser refused; the reason up to its first colon is its kind."""
        for item in rejected:
            self.add(item.reason.partition(":")[0], item.row, item.reason, item.text)

    def entries(self) -> list[Rejected]:
        """Returns what is kept in quarantine, with one entry per reason for what was only counted."""
        more = [
            Rejected(0, f"{kind}: {count - KEPT_PER_REASON} more rows were refused for this reason")
            for kind, count in self.counts.items()
            if count > KEPT_PER_REASON
        ]
        return [*self.kept, *more]

    @property
    def total(self) -> int:
        """Returns how many rows were refused."""
        return sum(self.counts.values())


def check(rows: pa.Table, rules: Rules, refusals: Refusals) -> pa.Table:
    """Returns the rows that may be kept, in OBSERVATIONS columns; the others go to `refusals`."""
    for test in (_unknown_field, _unknown_asset, _bad_number, _not_positive, _future):
        rows = test(rows, rules, refusals)
    return rows


Why = Callable[[dict[str, object]], str]


def _split(rows: pa.Table, bad: pa.Array | pa.ChunkedArray, kind: str, why: Why, refusals: Refusals) -> pa.Table:
    bad = pc.fill_null(bad, True)
    count = pc.sum(bad).as_py() or 0
    if not count:
        return rows
    room = max(0, KEPT_PER_REASON - refusals.counts.get(kind, 0))
    shown = rows.filter(bad).slice(0, room).to_pylist()
    for row in shown:
        refusals.add(kind, row["row"] or 0, f"{kind}: {why(row)}", excerpt(row))
    refusals.counts[kind] = refusals.counts.get(kind, 0) + count - len(shown)
    return rows.filter(pc.invert(bad))


def excerpt(row: dict[str, object]) -> str:
    """Returns a row as the text that quarantine shows."""
    time = row["valid_time"]
    stamp = time.isoformat() if isinstance(time, datetime) else time
    return f"{row['asset_id']},{row['field']},{stamp},{row['value']}"


def _outside(column: pa.ChunkedArray, known: frozenset[str]) -> pa.ChunkedArray:
    """Returns where a text column holds a value that is not known; looks at each distinct value once."""
    distinct = [value for value in pc.unique(column).to_pylist() if value not in known]
    if not distinct:
        return pa.chunked_array([pa.repeat(False, len(column))]) if len(column) else pa.chunked_array([], pa.bool_())
    wanted = pa.array([value for value in distinct if value is not None], pa.string())
    return pc.or_(pc.is_in(column.cast(pa.string()), value_set=wanted), pc.is_null(column))


def _unknown_field(rows: pa.Table, rules: Rules, refusals: Refusals) -> pa.Table:
    bad = _outside(rows["field"], frozenset(FIELDS))
    valid = ", ".join(FIELDS)
    return _split(
        rows, bad, "unknown field", lambda row: f"field was {row['field']!r}; valid fields: {valid}", refusals
    )


def _unknown_asset(rows: pa.Table, rules: Rules, refusals: Refusals) -> pa.Table:
    bad = _outside(rows["asset_id"], rules.assets)

    def why(row: dict[str, object]) -> str:
        name = str(row["asset_id"])
        if ids := rules.symbols.get(name.upper()):
            return f"asset_id was {name!r}, a ticker; tickers clash, so write the asset_id: {' or '.join(ids)}"
        return f"asset_id was {name!r}, which is in neither the universe nor an assets file"

    return _split(rows, bad, "unknown asset", why, refusals)


def _bad_number(rows: pa.Table, rules: Rules, refusals: Refusals) -> pa.Table:
    bad = pc.invert(pc.fill_null(pc.is_finite(rows["value"]), False))
    return _split(
        rows, bad, "not finite", lambda row: f"value was {row['value']!r}, expected a finite number", refusals
    )


def _not_positive(rows: pa.Table, rules: Rules, refusals: Refusals) -> pa.Table:
    low = pc.less_equal(rows["value"], 0.0)
    if not pc.any(low).as_py():
        return rows
    priced = pc.is_in(rows["field"].cast(pa.string()), value_set=pa.array(sorted(POSITIVE)))
    bad = pc.or_(pc.less(rows["value"], 0.0), pc.and_(low, priced))

    def why(row: dict[str, object]) -> str:
        least = "above 0" if row["field"] in POSITIVE else "0 or more"
        return f"{row['field']} was {row['value']!r}, expected a number {least}"

    return _split(rows, bad, "out of range", why, refusals)


def _future(rows: pa.Table, rules: Rules, refusals: Refusals) -> pa.Table:
    limit = pa.scalar(rules.now + TOLERANCE, pa.timestamp("us", "UTC"))
    bad = pc.greater(rows["valid_time"], limit)

    def why(row: dict[str, object]) -> str:
        return f"valid_time was {excerpt(row).split(',')[2]}, later than now ({rules.now.isoformat()})"

    return _split(rows, bad, "in the future", why, refusals)
